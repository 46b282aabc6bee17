"""The editor without scripts: read a form, with every message and buttons for operations, into operations."""

import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from annotation.restructuring.drafts import Sent
from dialogues.editing import WHITE_SPACE, Draft

# An empty line inside a message splits it there.
_CUT = re.compile(r"\n[ \t]*\n\s*")
_STEPS = ("merge", "up", "down", "delete", "add", "undo", "redo")


class FormError(ValueError):
    """A form that cannot be read; the text says what to do."""


def operations_of(draft: Draft, texts: Sequence[str], step: str, added: str) -> list[dict[str, Any]]:
    """The form's operations: first changed texts, from the last message to the first, then the pressed button's step.

    `step` is empty or like "merge:3"; `added` is the text for "add". Raises FormError.
    """
    if len(texts) != len(draft):
        raise FormError(_("The page is out of date. Load it again; what you typed is below."))
    name, _sign, number = step.partition(":")
    if step and (name not in _STEPS or not re.fullmatch(r"\d{0,5}", number)):
        raise FormError(_("There is no such button."))
    found: list[dict[str, Any]] = []
    shift = 0
    at = int(number or 0)
    for place in range(len(draft) - 1, -1, -1):
        steps = _rewritten(place, draft[place].text, texts[place])
        found += steps
        shift += sum(body["op"] == "split" for body in steps) if place < at else 0
    return found + _step(name, at + shift, draft, added)


def sent(token: str, version: int, bodies: Sequence[Mapping[str, Any]]) -> list[Sent]:
    """The operations with ids derived from the form, so that a second click sends the same ones."""
    whole = f"{token}/{version}/{bodies!r}"
    return [Sent(uuid.uuid5(uuid.NAMESPACE_OID, f"{whole}/{number}"), dict(body)) for number, body in enumerate(bodies)]


def _rewritten(place: int, before: str, after: str) -> list[dict[str, Any]]:
    # Browsers send line ends as CR LF.
    after = after.replace("\r\n", "\n").strip(WHITE_SPACE)
    parts = [part.strip(WHITE_SPACE) for part in _CUT.split(after) if part.strip(WHITE_SPACE)]
    if not parts:
        return [{"op": "delete", "at": place}]
    whole = " ".join(parts)
    found: list[dict[str, Any]] = [] if whole == before else [{"op": "reword", "at": place, "text": whole}]
    # Cut from the last part backwards, so that earlier offsets stay valid.
    cuts = [len(" ".join(parts[:number])) for number in range(len(parts) - 1, 0, -1)]
    return [*found, *({"op": "split", "at": place, "offset": cut} for cut in cuts)]


def _step(name: str, at: int, draft: Draft, added: str) -> list[dict[str, Any]]:
    if name in ("up", "down"):
        return [{"op": "move", "at": at, "to": at + (1 if name == "down" else -1)}]
    if name == "add":
        if not added.strip():
            raise FormError(_("Write the message to add first."))
        speaker = draft[min(at, len(draft) - 1)].speaker
        return [{"op": "insert", "at": at + 1, "speaker": speaker, "text": added}]
    if name in ("merge", "delete"):
        return [{"op": name, "at": at}]
    return [{"op": name}] if name else []
