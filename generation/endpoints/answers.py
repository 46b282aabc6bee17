"""Read an endpoint's answer: a `Reply`, or the `CallError` that it carries instead. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from dialogues.display import DEMO_MODEL
from generation.endpoints.refusals import CallError, Refusal, Trouble, refused, retry_after, status_in, storable
from generation.endpoints.shapes import document_of, first_choice, mapping, refusal_of, words_of

__all__ = ["CallError", "Refusal", "Reply", "Trouble", "read_reply", "refused", "retry_after", "storable"]

MALFORMED = "malformed"  # finish reason of a body that is no completion; the body is kept as the reply's text
# Finish reasons of answers that the provider broke off without an error.
_BROKEN_OFF = ("error", "network_error", "insufficient_system_resource")


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back; `text` is the first choice's text, or the body itself if it was no chat completion.

    `refusal` has the words with which the model declined. `body` is the answer as it came, kept if it holds a refusal
    or no text was found in it.
    """

    text: str
    finish_reason: str
    model: str
    prompt_tokens: int
    completion_tokens: int
    is_demo: bool
    refusal: str = ""
    body: str = ""


def read_reply(body: str, headers: Mapping[str, str] | None = None, now: float = 0.0) -> Reply | CallError:
    """The parts of a chat completion that matter, or the error that came in its place, in any known shape.

    `headers` and `now`, a Unix time, are those of the HTTP answer. Never raises.
    """
    document = document_of(body)
    if document is None:
        return Reply(storable(body), MALFORMED, "", 0, 0, is_demo=False)
    choice = first_choice(document)
    words = storable(words_of(choice))
    finish_reason = text(choice.get("finish_reason")) if choice else "no_choices"
    broken = finish_reason.casefold() in _BROKEN_OFF
    error = _error_in(document, choice)
    # Some servers add a meaningless error to a good text.
    if broken or (error and not words.strip()):
        return refused(
            Refusal(status_in(error), error or "The provider cut the answer off.", headers, now, inside=True)
        )
    refusal = storable(refusal_of(choice))
    usage, model = mapping(document.get("usage")), text(document.get("model"))
    return Reply(
        text=words,
        finish_reason=finish_reason[:40],
        model=model[:200],
        prompt_tokens=_first_count(usage, "prompt_tokens", "input_tokens"),
        completion_tokens=_first_count(usage, "completion_tokens", "output_tokens"),
        is_demo=DEMO_MODEL in (model, text(document.get("system_fingerprint"))),
        refusal=refusal,
        body=storable(body) if refusal or not words.strip() else "",
    )


def text(value: object) -> str:
    """A storable text, or "" for anything else."""
    return storable(value) if isinstance(value, str) else ""


def count(value: object) -> int:
    """A whole number that a column holds, a fraction rounded up; 0 for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**31:
        return 0
    return min(math.ceil(value), 2**31 - 1)


def _first_count(usage: Mapping[str, object], *names: str) -> int:
    return next((found for name in names if (found := count(usage.get(name)))), 0)


def _error_in(document: Mapping[str, object], choice: Mapping[str, object]) -> object:
    """The error that an answer carries instead of a text, or None."""
    if "error" in (document.get("object"), document.get("type")) and not document.get("error"):
        return document
    return document.get("error") or choice.get("error")
