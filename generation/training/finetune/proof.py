"""Proof, before training, of what will be trained: the assistant's words, the delimiters and the stop token, no more.

A tokenizer is one of transformers'; nothing here needs torch.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from generation.training.finetune.data import Message, Row
from generation.training.finetune.refusals import RefusedError

IGNORED = -100


class Encoded(NamedTuple):
    """One example as token ids; `labels` are the same ids where the loss counts, and IGNORED elsewhere."""

    input_ids: list[int]
    labels: list[int]


def require_delimiter(tokenizer: Any, delimiter: str) -> list[int]:
    """The tokens of the delimiter; raises RefusedError unless they are ordinary ones that give it back."""
    ids: list[int] = tokenizer.encode(delimiter, add_special_tokens=False)
    if set(ids) & _special_ids(tokenizer):
        raise RefusedError(
            f"The tokenizer reads {delimiter!r} as a special token. Build the set with another delimiter."
        )
    if _decoded(tokenizer, ids).strip(" ") != delimiter:
        raise RefusedError(f"The tokenizer cannot write {delimiter!r}. Build the set with another delimiter.")
    return ids


def require_plain_texts(tokenizer: Any, rows: Iterable[Row]) -> None:
    """Raises RefusedError where a text holds a special token of this tokenizer."""
    marks = [mark for mark in {*tokenizer.all_special_tokens, *tokenizer.get_added_vocab()} if mark.strip()]
    for row in rows:
        for text in [*(message["content"] for message in row.messages), row.rejected]:
            if mark := next((mark for mark in marks if mark in text), ""):
                raise RefusedError(
                    f"Example {row.name} holds {mark}, a special token of this model. Leave the dialogue out."
                )


def encoded(tokenizer: Any, template: str, row: Row) -> Encoded:
    """The example as it is trained, proven; raises RefusedError where anything else would be."""
    found = _applied(tokenizer, row.messages, chat_template=template, return_assistant_tokens_mask=True)
    ids, mask = found["input_ids"], found["assistant_masks"]
    runs = [
        [token for token, _ in run]
        for is_trained, run in groupby(zip(ids, mask, strict=True), _is_trained)
        if is_trained
    ]
    replies = [message["content"] for message in row.messages if message["role"] == "assistant"]
    if len(runs) != len(replies):
        raise RefusedError(
            f"The chat template marks {len(runs)} replies of example {row.name}, which has {len(replies)}. Correct its "
            "{% generation %} marks, or name another by --chat-template FILE."
        )
    for run, reply in zip(runs, replies, strict=True):
        _require_exact(tokenizer, run, reply, row.name)
    return Encoded(ids, [token if is_in else IGNORED for token, is_in in zip(ids, mask, strict=True)])


def encoded_reply(tokenizer: Any, template: str, prompt: Sequence[Message], reply: str, name: str) -> int:
    """How many tokens a prompt and its reply are, as DPO trains them; raises RefusedError as `encoded` does."""
    asked = _applied(tokenizer, prompt, chat_template=template, add_generation_prompt=True)["input_ids"]
    answered = [*prompt, {"role": "assistant", "content": reply}]
    ids = _applied(tokenizer, answered, chat_template=template)["input_ids"]
    if ids[: len(asked)] != asked:
        raise RefusedError(
            "The chat template writes a prompt otherwise when a reply follows. Name another by --chat-template FILE."
        )
    _require_exact(tokenizer, ids[len(asked) :], reply, name)
    return len(ids)


def stop_token(tokenizer: Any, template: str, messages: Sequence[Message]) -> int:
    """The token that ends a reply; `encoded` and `encoded_reply` have proven that there is one."""
    run: list[int] = _applied(tokenizer, messages, chat_template=template)["input_ids"]
    return next(token for token in reversed(run) if token in _special_ids(tokenizer))


def require_same_text(tokenizer: Any, training: str, serving: str, row: Row) -> None:
    """Raises RefusedError where the template that serves writes another text than the one that was trained on."""
    texts = {
        tokenizer.apply_chat_template(row.messages, tokenize=False, chat_template=template)
        for template in (training, serving)
    }
    if len(texts) > 1:
        raise RefusedError(
            "The chat template writes another text to serve than to train. Name one by --chat-template FILE."
        )


def _require_exact(tokenizer: Any, run: list[int], reply: str, name: str) -> None:
    text = _decoded(tokenizer, run).lstrip(" ")
    rest = text.removeprefix(reply)
    stop = next((token for token in reversed(run) if token in _special_ids(tokenizer)), None)
    if rest == text or stop is None or rest.strip() != _decoded(tokenizer, [stop]):
        raise RefusedError(
            f"Of example {name} the chat template trains {text[-120:]!r}, which is not the reply and one stop token. "
            "Name another by --chat-template FILE."
        )


def _applied(tokenizer: Any, messages: Sequence[Message], **how: Any) -> Any:
    return tokenizer.apply_chat_template(list(messages), tokenize=True, return_dict=True, **how)


def _decoded(tokenizer: Any, ids: list[int]) -> str:
    return str(tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False))


def _special_ids(tokenizer: Any) -> set[int]:
    return {*tokenizer.all_special_ids, *tokenizer.get_added_vocab().values()}


def _is_trained(pair: tuple[int, int]) -> bool:
    return bool(pair[1])
