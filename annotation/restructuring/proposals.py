"""“Split for me”: what the rules or a model would make of each message, for a person to take message by message."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from dialogues.alignment import sources
from dialogues.editing import Accept, Draft, EditError, Piece
from dialogues.models import Dialogue
from dialogues.splitting import sentences

RULES = "rules"
REWRITE = "dialogue:"
SPLIT_VERSION = "stephanie"


@dataclass(frozen=True, slots=True)
class Proposer:
    """Who proposes: `key` is what the log of operations records, `label` what the person reads."""

    key: str
    label: str
    is_demo: bool = False


def proposers(original: Dialogue) -> list[Proposer]:
    """The rules, and every further-split rewrite that a model made of this dialogue."""
    rewrites = _rewrites(original).only("key", "written_by", "is_demo")
    return [
        Proposer(RULES, _("Rules: after every sentence")),
        *(Proposer(f"{REWRITE}{row.key}", f"{row.written_by} ({row.key})", row.is_demo) for row in rewrites),
    ]


def proposal(original: Dialogue, key: str) -> list[list[str]]:
    """For each message of the original the messages proposed in its place; raises EditError where nobody proposes.

    A message for which there is nothing to propose has its own text alone.
    """
    texts = [message.text for message in original.transcript]
    if key == RULES:
        return [sentences(text) for text in texts]
    rewrite = _rewrites(original).filter(key=key.removeprefix(REWRITE)).first() if key.startswith(REWRITE) else None
    if rewrite is None:
        raise EditError("That proposal is not there (any more). Choose another.")
    return _by_source(original, rewrite)


def check_proposal(original: Dialogue, draft: Draft, accepted: Accept) -> None:
    """Raise EditError unless the messages were proposed for this piece: the log says who made what."""
    piece = draft[accepted.at] if 0 <= accepted.at < len(draft) else None
    if piece is None or not is_untouched(original, piece):
        raise EditError("This message has been changed since the proposal was made for it.")
    if list(accepted.texts) != proposal(original, accepted.by)[piece.sources[0]]:
        raise EditError("This is not what was proposed. Ask for proposals again.")


def is_untouched(original: Dialogue, piece: Piece) -> bool:
    """Whether a piece still is one message of the original, as it was."""
    return len(piece.sources) == 1 and original.messages[piece.sources[0]] == [piece.speaker, piece.text]


def _by_source(original: Dialogue, rewrite: Dialogue) -> list[list[str]]:
    said: list[list[str]] = [[] for _ in original.messages]
    for message, source in zip(rewrite.transcript, _sources(original, rewrite), strict=True):
        if message.speaker == original.messages[source][0]:
            said[source].append(message.text)
    return [texts or [own] for texts, (_, own) in zip(said, original.messages, strict=True)]


def _sources(original: Dialogue, rewrite: Dialogue) -> Sequence[int]:
    return sources(original.transcript, rewrite.transcript)


def _rewrites(original: Dialogue) -> QuerySet[Dialogue]:
    return original.rewrites.of_version(SPLIT_VERSION).order_by("-pk")
