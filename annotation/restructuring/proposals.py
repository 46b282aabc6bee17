"""“Split for me”: how the rules or a model would split each message, for a person to accept message by message.

An annotator works blind: nothing here names a dialogue, a version or a writer, and of models' texts only those are
offered that the person requested here, by a run of their own.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from dialogues.alignment import sources
from dialogues.editing import Accept, Draft, EditError, Piece
from dialogues.models import Dialogue
from dialogues.splitting import sentences
from generation.models import Stage

RULES = "rules"
MODEL = "model:"
SOMEBODY = "somebody"
SPLIT_VERSION = "stephanie"
MARK_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Proposer:
    """Who proposes: `key` is recorded in the log of operations, `label` is shown to the person."""

    key: str
    label: str


def proposers(original: Dialogue, person: User) -> list[Proposer]:
    """The rules, and every split of this dialogue that the person requested from a model."""
    asked = enumerate(_asked_for(original, person).only("pk"), 1)
    return [
        Proposer(RULES, _("Rules: after every sentence")),
        *(Proposer(_key(row), _("The model that you asked, split %(number)s") % {"number": at}) for at, row in asked),
    ]


def proposal(original: Dialogue, key: str, person: User) -> list[list[str]]:
    """For each message of the original, the messages proposed to replace it; its own text if there is no proposal.

    Raises EditError for an unknown key.
    """
    texts = [message.text for message in original.transcript]
    if key == RULES:
        return [sentences(text) for text in texts]
    rewrite = next((row for row in _asked_for(original, person) if _key(row) == key), None)
    if rewrite is None:
        raise EditError("That proposal is not there (any more). Choose another.")
    return _by_source(original, rewrite)


def check_proposal(original: Dialogue, draft: Draft, accepted: Accept, person: User) -> None:
    """Raise EditError unless these messages were proposed for this piece: the log records who proposed them."""
    piece = draft[accepted.at] if 0 <= accepted.at < len(draft) else None
    if piece is None or not is_untouched(original, piece):
        raise EditError("This message has been changed since the proposal was made for it.")
    if list(accepted.texts) != proposal(original, accepted.by, person)[piece.sources[0]]:
        raise EditError("This is not what was proposed. Ask for proposals again.")


def is_untouched(original: Dialogue, piece: Piece) -> bool:
    """Whether the piece is still an unchanged message of the original."""
    return len(piece.sources) == 1 and original.messages[piece.sources[0]] == [piece.speaker, piece.text]


def shown_log(bodies: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Operations for a page, without the keys of proposers, which could identify a dialogue."""
    return [{**body, "by": SOMEBODY} if "by" in body else body for body in bodies]


def _by_source(original: Dialogue, rewrite: Dialogue) -> list[list[str]]:
    said: list[list[str]] = [[] for _ in original.messages]
    for message, source in zip(rewrite.transcript, _sources(original, rewrite), strict=True):
        if message.speaker == original.messages[source][0]:
            said[source].append(message.text)
    return [texts or [own] for texts, (_, own) in zip(said, original.messages, strict=True)]


def _sources(original: Dialogue, rewrite: Dialogue) -> Sequence[int]:
    return sources(original.transcript, rewrite.transcript)


def _asked_for(original: Dialogue, person: User) -> QuerySet[Dialogue]:
    """The texts written by this person's runs that only split this dialogue, the oldest first."""
    own = {"output__call__run__created_by": person, "output__call__run__stages": [Stage.FURTHER_SPLIT]}
    return original.rewrites.of_version(SPLIT_VERSION).filter(**own).order_by("pk").distinct()


def _key(row: Dialogue) -> str:
    """A key for a rewrite that reveals nothing about it."""
    return MODEL + salted_hmac("annotation.restructuring.proposals", str(row.pk)).hexdigest()[:MARK_LENGTH]
