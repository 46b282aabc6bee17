"""“Split for me”: what the rules or a model would make of each message, for a person to take message by message.

An annotator works blind: nothing here names a dialogue, a version or a writer, and of what models wrote only that is
offered which the person had a model split from here, by a run of their own.
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
    """Who proposes: `key` is what the log of operations records, `label` what the person reads."""

    key: str
    label: str


def proposers(original: Dialogue, person: User) -> list[Proposer]:
    """The rules, and every split of this dialogue that the person asked a model for."""
    asked = enumerate(_asked_for(original, person).only("pk"), 1)
    return [
        Proposer(RULES, _("Rules: after every sentence")),
        *(Proposer(_key(row), _("The model that you asked, split %(number)s") % {"number": at}) for at, row in asked),
    ]


def proposal(original: Dialogue, key: str, person: User) -> list[list[str]]:
    """For each message of the original the messages proposed in its place; raises EditError where nobody proposes.

    A message for which there is nothing to propose has its own text alone.
    """
    texts = [message.text for message in original.transcript]
    if key == RULES:
        return [sentences(text) for text in texts]
    rewrite = next((row for row in _asked_for(original, person) if _key(row) == key), None)
    if rewrite is None:
        raise EditError("That proposal is not there (any more). Choose another.")
    return _by_source(original, rewrite)


def check_proposal(original: Dialogue, draft: Draft, accepted: Accept, person: User) -> None:
    """Raise EditError unless the messages were proposed for this piece: the log says who made what."""
    piece = draft[accepted.at] if 0 <= accepted.at < len(draft) else None
    if piece is None or not is_untouched(original, piece):
        raise EditError("This message has been changed since the proposal was made for it.")
    if list(accepted.texts) != proposal(original, accepted.by, person)[piece.sources[0]]:
        raise EditError("This is not what was proposed. Ask for proposals again.")


def is_untouched(original: Dialogue, piece: Piece) -> bool:
    """Whether a piece still is one message of the original, as it was."""
    return len(piece.sources) == 1 and original.messages[piece.sources[0]] == [piece.speaker, piece.text]


def shown_log(bodies: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Operations as a page may show them: whose proposal was accepted can name a dialogue, and nothing needs it."""
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
    """What runs of this person that do nothing but split this dialogue wrote, the oldest first."""
    own = {"output__call__run__created_by": person, "output__call__run__stages": [Stage.FURTHER_SPLIT]}
    return original.rewrites.of_version(SPLIT_VERSION).filter(**own).order_by("pk").distinct()


def _key(row: Dialogue) -> str:
    """A name for a rewrite that tells nothing about it."""
    return MODEL + salted_hmac("annotation.restructuring.proposals", str(row.pk)).hexdigest()[:MARK_LENGTH]
