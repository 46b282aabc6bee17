"""Background and examples → the chat messages a stage sends (paper §3.1, §3.2, §4.2).

A prompt is a pair of texts with named `{placeholders}`. They are filled in one literal pass, so braces or
placeholder names inside a dialogue are never read as instructions, and any other brace in the wording stays.
Everything that comes from a corpus or a model goes in as JSON inside a tagged block on its own lines: a JSON
string holds no raw line break, so no content can close its block.
"""

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any, Literal, TypedDict

from dialogues.transcript import Transcript

StageName = Literal["theme", "pair", "further_split", "judge"]

BYTES_PER_TOKEN = 3.5
TOKENS_PER_MESSAGE = 4
QUOTED_REPLY_LIMIT = 20_000

_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")


class PromptError(ValueError):
    """A prompt that cannot be filled; the text says which placeholder is wrong and which ones exist."""


class ChatMessage(TypedDict):
    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class PromptText:
    """The wording of a stage; an empty `system` sends no system message."""

    system: str
    user: str


@dataclass(frozen=True, slots=True)
class Background:
    """D = {T, C} of paper §3.1: what a pair is written on."""

    theme: str
    traits_1: Sequence[str]
    traits_2: Sequence[str]


@dataclass(frozen=True, slots=True)
class Shown:
    """One example; `after` is the restructured dialogue of a further-split pair."""

    theme: str
    traits_1: Sequence[str]
    traits_2: Sequence[str]
    before: Transcript
    after: Transcript | None = None

    def __post_init__(self) -> None:
        # Hashable, so that its rendering in a prompt can be cached.
        object.__setattr__(self, "traits_1", tuple(self.traits_1))
        object.__setattr__(self, "traits_2", tuple(self.traits_2))


@dataclass(frozen=True, slots=True)
class Placeholders:
    required: frozenset[str]
    optional: frozenset[str] = frozenset()


PLACEHOLDERS: Mapping[StageName, Placeholders] = {
    "theme": Placeholders(frozenset({"dialogue", "traits"})),
    "pair": Placeholders(frozenset({"single_step_examples", "step_by_step_examples", "background"})),
    "further_split": Placeholders(frozenset({"pairs", "dialogue"}), frozenset({"background"})),
    "judge": Placeholders(frozenset({"rubric", "background", "dialogue"})),
}


@lru_cache(maxsize=64)
def check_prompt(stage: StageName, template: PromptText) -> None:
    """Raise PromptError if a required placeholder is missing or an unknown one is used."""
    known = PLACEHOLDERS[stage]
    used = set(_PLACEHOLDER.findall(template.system)) | set(_PLACEHOLDER.findall(template.user))
    unknown = sorted(used - known.required - known.optional)
    if unknown:
        raise PromptError(f"unknown placeholder {_listed(unknown)}; this stage has {_listed(_names(known))}")
    missing = sorted(known.required - used)
    if missing:
        raise PromptError(f"the prompt lacks {_listed(missing)}")
    if not template.user.strip():
        raise PromptError("the user message is empty")


def theme_messages(
    template: PromptText, transcript: Transcript, traits_1: Sequence[str], traits_2: Sequence[str]
) -> list[ChatMessage]:
    """Ask for the theme of α, and for the traits of whoever has none (an empty sequence)."""
    traits = {"person_1": list(traits_1) or None, "person_2": list(traits_2) or None}
    return filled(
        "theme",
        template,
        {"dialogue": block("dialogue", dialogue_json(transcript)), "traits": block("traits", one_line(traits))},
    )


def pair_messages(
    template: PromptText, background: Background, single_step: Sequence[Shown], step_by_step: Sequence[Shown]
) -> list[ChatMessage]:
    """Ask for β and γ on one background, after negative and positive examples."""
    return filled(
        "pair",
        template,
        {
            "background": block("background", one_line(_background(background))),
            "single_step_examples": _joined(_example(shown, "single_step") for shown in single_step),
            "step_by_step_examples": _joined(_example(shown, "step_by_step") for shown in step_by_step),
        },
    )


def further_split_messages(
    template: PromptText, background: Background | None, transcript: Transcript, pairs: Sequence[Shown]
) -> list[ChatMessage]:
    """Ask for the further-split rewrite of γ; an example without `after` raises PromptError."""
    return filled(
        "further_split",
        template,
        {
            "background": block("background", one_line(_background(background))) if background else "",
            "dialogue": block("dialogue", dialogue_json(transcript)),
            "pairs": _joined(_pair_example(shown) for shown in pairs),
        },
    )


def example_text(shown: Shown, kind: str) -> str:
    """The block that shows one example of this kind in its prompt; a pair without `after` raises PromptError."""
    return _pair_example(shown) if kind == "further_split" else _example(shown, kind)


def repair_messages(original_messages: Sequence[ChatMessage], reply: str, problem: str) -> list[ChatMessage]:
    """The same conversation, the reply that was wrong, and what is wrong with it.

    An empty reply cannot be quoted (servers refuse empty or doubled roles), so the remark then joins the request.
    """
    remark = (
        f"That reply cannot be used: {problem}\n"
        "Please send the whole answer again, corrected, as one JSON object in the form that was asked for."
    )
    quoted = _storable(reply).strip()[:QUOTED_REPLY_LIMIT]
    messages: list[ChatMessage] = [{"role": m["role"], "content": m["content"]} for m in original_messages]
    if quoted:
        messages.append({"role": "assistant", "content": quoted})
        messages.append({"role": "user", "content": _storable(remark)})
    else:
        last = messages[-1]
        messages[-1] = {"role": last["role"], "content": f"{last['content']}\n\n{_storable(remark)}"}
    return messages


def dialogue_json(transcript: Transcript) -> str:
    """The form dialogues have in requests and replies: a JSON array, one message object a line."""
    lines = (f'{{"speaker": {speaker}, "text": {encode_basestring(text)}}}' for speaker, text in transcript)
    return _without_odd_breaks("[\n" + ",\n".join(lines) + "\n]")


def reply_schema(stage: StageName) -> dict[str, Any]:
    """The JSON schema of a stage's reply, for endpoints that honour `response_format`.

    What a judge answers depends on the rubric: `generation.judge_stage.reply_schema`.
    """
    dialogue = _array(
        {"type": "object", "properties": {"speaker": {"type": "integer", "enum": [1, 2]}, "text": {"type": "string"}}}
    )
    dialogue["items"] |= {"required": ["speaker", "text"], "additionalProperties": False}
    properties: dict[StageName, dict[str, Any]] = {
        "theme": {
            "theme": {"type": "string"},
            "traits_1": _array({"type": "string"}),
            "traits_2": _array({"type": "string"}),
        },
        "pair": {"single_step": dialogue, "step_by_step": dialogue},
        "further_split": {"step_by_step": dialogue},
    }
    wanted = properties[stage]
    return {"type": "object", "properties": wanted, "required": list(wanted), "additionalProperties": False}


def request_sha256(messages: Sequence[ChatMessage], parameters: Mapping[str, Any]) -> str:
    """Hex digest of what is sent; key order does not matter."""
    canonical = json.dumps([list(messages), dict(parameters)], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def prompt_sha256(template: PromptText) -> str:
    """Hex digest of a prompt's wording."""
    return hashlib.sha256(json.dumps([template.system, template.user]).encode()).hexdigest()


def estimate_tokens(messages: Sequence[ChatMessage]) -> int:
    """About how many tokens a request has: its UTF-8 bytes / 3.5, and 4 a message for the chat format.

    English prose has about 4.2 bytes a token in current tokenisers and JSON about 3, so this errs upwards for
    prose; it is for previews and for reserving a budget, never for billing.
    """
    size = sum(len(message["content"].encode("utf-8", "replace")) for message in messages)
    return math.ceil(size / BYTES_PER_TOKEN) + TOKENS_PER_MESSAGE * len(messages)


def filled(stage: StageName, template: PromptText, values: Mapping[str, str]) -> list[ChatMessage]:
    """The prompt's texts with every placeholder replaced once; raises PromptError."""
    check_prompt(stage, template)
    system = _PLACEHOLDER.sub(lambda match: values[match[1]], template.system)
    user = _PLACEHOLDER.sub(lambda match: values[match[1]], template.user)
    messages: list[ChatMessage] = [{"role": "user", "content": user}]
    return [{"role": "system", "content": system}, *messages] if system.strip() else messages


# Every call of a stage shows the same examples.
@lru_cache(maxsize=256)
def _example(shown: Shown, key: str) -> str:
    """One example block: its background, then the dialogue under the key that replies use."""
    return _example_block(shown, {key: shown.before})


@lru_cache(maxsize=256)
def _pair_example(shown: Shown) -> str:
    if shown.after is None:
        raise PromptError("a further-split example needs the dialogue before and after")
    return _example_block(shown, {"before": shown.before, "after": shown.after})


def _example_block(shown: Shown, dialogues: Mapping[str, Transcript]) -> str:
    head = one_line(_background(Background(shown.theme, shown.traits_1, shown.traits_2)))
    parts = [f'"{key}": {dialogue_json(transcript)}' for key, transcript in dialogues.items()]
    return block("example", ",\n".join([head.removesuffix("}"), *parts]) + "}")


def _background(background: Background) -> dict[str, Any]:
    return {
        "theme": background.theme,
        "person_1": list(background.traits_1),
        "person_2": list(background.traits_2),
    }


def _array(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def block(tag: str, content: str) -> str:
    """A tagged block on its own lines; `content` is JSON, which no text can break out of."""
    return f"<{tag}>\n{content}\n</{tag}>"


def _joined(blocks: Iterable[str]) -> str:
    return "\n\n".join(blocks)


def one_line(value: object) -> str:
    """JSON without a raw line break of any kind."""
    return _without_odd_breaks(json.dumps(value, ensure_ascii=False))


def _without_odd_breaks(text: str) -> str:
    # Some readers take U+2028 and the like for line breaks; escaped, a block has no line breaks but ours.
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").replace("\x85", "\\u0085")


def _storable(text: str) -> str:
    """Without NUL and lone surrogates, which neither a request nor a database can carry."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def _names(known: Placeholders) -> list[str]:
    return sorted(known.required | known.optional)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in names)
