"""The chat template of training, which marks what the assistant says, and the one of serving, which does not."""

import re
from pathlib import Path
from typing import Any, NamedTuple

from trl import chat_template_utils
from trl.chat_template_utils import get_training_chat_template, has_generation_markers

from generation.training.finetune.refusals import RefusedError

LLAMA_3: str = chat_template_utils.llama3_chat_template
_LLAMA_3_MARKS = ("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")
_MARK = re.compile(r"\{%([-+]?)\s*(end)?generation\s*([-+]?)%\}")


class Templates(NamedTuple):
    training: str
    serving: str
    why: str


def choose(tokenizer: Any, given: str, method: str) -> Templates:
    """Both templates; raises RefusedError where none that marks replies is known. DPO needs no marks."""
    if given:
        return _from_file(Path(given))
    own = tokenizer.chat_template
    if not own:
        return _without(tokenizer)
    if method == "dpo":
        return Templates(unmarked(own), unmarked(own), "The model's own chat template.")
    if has_generation_markers(own):
        return Templates(own, unmarked(own), "The model's own chat template marks what is trained.")
    try:
        marked = get_training_chat_template(tokenizer)
    except ValueError:
        raise RefusedError(
            "The chat template of this model does not mark what the assistant says, and no version that does is known. "
            "Copy it to a file, put {% generation %} … {% endgeneration %} around each reply and its stop token, and "
            "add --chat-template FILE."
        ) from None
    return Templates(marked or own, own, "The model's own chat template, in TRL's version that marks what is trained.")


def unmarked(template: str) -> str:
    """The template without marks, for programs that do not know them; it writes the same text."""
    return _MARK.sub(lambda found: f"{{%{found[1]} {'endif' if found[2] else 'if true'} {found[3]}%}}", template)


def _from_file(path: Path) -> Templates:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        raise RefusedError(f"The chat template {path} cannot be read.") from None
    if not has_generation_markers(text):
        raise RefusedError(
            f"{path} has no {{% generation %}} … {{% endgeneration %}} around what the assistant says. Add it."
        )
    return Templates(text, unmarked(text), f"The chat template of {path.name}.")


def _without(tokenizer: Any) -> Templates:
    if all(mark in tokenizer.get_vocab() for mark in _LLAMA_3_MARKS):
        training = chat_template_utils.llama3_training_chat_template
        return Templates(training, LLAMA_3, "The model has no chat template but Llama 3's marks: Llama 3's template.")
    raise RefusedError("This model has no chat template. Name one with {% generation %} marks by --chat-template FILE.")
