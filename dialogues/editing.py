"""A dialogue being restructured by hand: pieces, the operations on them, and the log that replays them (paper §3.2).

A *draft* is a tuple of pieces, each a message that knows which messages of the original it came from. Operations make a
new draft of an old one; a log of operations leads from the original to any later text, exactly and for ever.
`static/js/restructuring/editing.js` does the same in the browser, and a test compares the two.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, NamedTuple, get_type_hints

from dialogues.fidelity import fidelity
from dialogues.transcript import Message, Speaker, Transcript, message_problem

MOST_PIECES = 2_000
LONGEST_TEXT = 20_000
TOO_LONG = "This cannot be a message: text is longer than {most} characters."
# The characters of str.isspace, spelled out because the browser defines white space differently.
WHITE_SPACE = (
    "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)


class EditError(ValueError):
    """An operation that cannot be done; the text says why.

    That text is `sentence` with its `values` filled in; a page can translate the sentence.
    """

    def __init__(self, sentence: str, **values: object) -> None:
        super().__init__(sentence.format(**values))
        self.sentence = sentence
        self.values = values


class Piece(NamedTuple):
    """A message of a draft.

    `sources`: the original messages it came from, counted from 0; none for what a person added. `lead`: the white
    space that was taken out between the piece above and this one when they were cut apart, so that merging them is
    the exact way back; None where they were not cut from each other.
    """

    speaker: Speaker
    text: str
    sources: tuple[int, ...]
    lead: str | None = None


Draft = tuple[Piece, ...]


def begin(original: Transcript) -> Draft:
    return tuple(Piece(speaker, text, (place,)) for place, (speaker, text) in enumerate(original))


def transcript_of(draft: Draft) -> Transcript:
    return Transcript(tuple(Message(piece.speaker, piece.text) for piece in draft))


def joined(draft: Draft) -> Transcript:
    """The draft with every cut undone: what was only split reads as before."""
    messages: list[Message] = []
    for piece in draft:
        if piece.lead is None:
            messages.append(Message(piece.speaker, piece.text))
        else:
            above = messages.pop()
            messages.append(Message(above.speaker, above.text + piece.lead + piece.text))
    return Transcript(tuple(messages))


def kept_share(original: Transcript, draft: Draft) -> float:
    """Share of the original's words that the draft keeps in order, 0–1; cuts lose nothing, wherever they fall."""
    return fidelity(original, joined(draft)).kept


@dataclass(frozen=True, slots=True)
class Split:
    """Cut a message in two before its `offset`-th character (Unicode code points); white space there is removed."""

    name: ClassVar = "split"
    at: int
    offset: int

    def apply(self, draft: Draft) -> Draft:
        piece = _piece(draft, self.at)
        if not 0 <= self.offset <= len(piece.text):
            raise EditError("Message {number} has no character {offset}.", number=self.at + 1, offset=self.offset)
        head, tail = piece.text[: self.offset].rstrip(WHITE_SPACE), piece.text[self.offset :].lstrip(WHITE_SPACE)
        if not head.strip(WHITE_SPACE) or not tail.strip(WHITE_SPACE):
            raise EditError("There is nothing to split off here: put the caret between two words.")
        lead = piece.text[len(head) : len(piece.text) - len(tail)]
        return _replaced(draft, self.at, 1, piece._replace(text=head), piece._replace(text=tail, lead=lead))


@dataclass(frozen=True, slots=True)
class Merge:
    """Join a message to the one above it, which must be the same speaker's."""

    name: ClassVar = "merge"
    at: int

    def apply(self, draft: Draft) -> Draft:
        piece = _piece(draft, self.at)
        if self.at == 0:
            raise EditError("This is the first message: there is none above it to merge with.")
        above = draft[self.at - 1]
        if above.speaker != piece.speaker:
            raise EditError("The message above is the other speaker’s: only messages of one speaker can be merged.")
        text = above.text + (" " if piece.lead is None else piece.lead) + piece.text
        sources = tuple(sorted({*above.sources, *piece.sources}))
        return _replaced(draft, self.at - 1, 2, above._replace(text=_checked(text, strip=False), sources=sources))


@dataclass(frozen=True, slots=True)
class Move:
    """Move a message, with its speaker, to another place."""

    name: ClassVar = "move"
    at: int
    to: int

    def apply(self, draft: Draft) -> Draft:
        piece = _piece(draft, self.at)
        if not 0 <= self.to < len(draft) or self.to == self.at:
            raise EditError("The message cannot be moved any further.")
        rest = _loosened(draft[: self.at] + draft[self.at + 1 :], self.at)
        return _loosened(_inserted(rest, self.to, piece._replace(lead=None)), self.to + 1)


@dataclass(frozen=True, slots=True)
class Reword:
    """Change a message's text; white space around it is removed."""

    name: ClassVar = "reword"
    at: int
    text: str

    def apply(self, draft: Draft) -> Draft:
        return _replaced(draft, self.at, 1, _piece(draft, self.at)._replace(text=_checked(self.text)))


@dataclass(frozen=True, slots=True)
class Insert:
    """Add a message that the original does not have, before the one that is at `at` now; content is added."""

    name: ClassVar = "insert"
    at: int
    speaker: int
    text: str

    def apply(self, draft: Draft) -> Draft:
        if not 0 <= self.at <= len(draft):
            raise EditError("There is no place {number} in this draft.", number=self.at + 1)
        if self.speaker not in (1, 2):
            raise EditError("A message is speaker 1’s or speaker 2’s.")
        speaker: Speaker = 1 if self.speaker == 1 else 2
        return _inserted(_loosened(draft, self.at), self.at, Piece(speaker, _checked(self.text), ()))


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove a message; its content is lost."""

    name: ClassVar = "delete"
    at: int

    def apply(self, draft: Draft) -> Draft:
        _piece(draft, self.at)
        if len(draft) == 1:
            raise EditError("The last message stays: a dialogue needs at least one.")
        return _loosened(_replaced(draft, self.at, 1), self.at)


@dataclass(frozen=True, slots=True)
class Accept:
    """Replace a message with those of a proposal; `by` names who proposed it."""

    name: ClassVar = "accept"
    at: int
    texts: tuple[str, ...]
    by: str

    def apply(self, draft: Draft) -> Draft:
        piece = _piece(draft, self.at)
        if not self.texts:
            raise EditError("A proposal holds at least one message.")
        texts = [_checked(text) for text in self.texts]
        leads = [piece.lead, *_gaps(piece.text, texts)]
        pieces = (piece._replace(text=text, lead=lead) for text, lead in zip(texts, leads, strict=True))
        return _replaced(draft, self.at, 1, *pieces)


@dataclass(frozen=True, slots=True)
class Undo:
    """Undo the latest change."""

    name: ClassVar = "undo"


@dataclass(frozen=True, slots=True)
class Redo:
    """Redo the change that was undone last."""

    name: ClassVar = "redo"


@dataclass(frozen=True, slots=True)
class Rewind:
    """Return to the text after the first `to` operations of the log; `Undo` reverts this."""

    name: ClassVar = "rewind"
    to: int


Change = Split | Merge | Move | Reword | Insert | Delete | Accept
Operation = Change | Undo | Redo | Rewind
_KINDS: Mapping[str, type[Operation]] = {
    kind.name: kind for kind in (Split, Merge, Move, Reword, Insert, Delete, Accept, Undo, Redo, Rewind)
}


class History:
    """A draft with everything that led to it."""

    def __init__(self, original: Transcript) -> None:
        # The draft after 0, 1, 2 … operations of the log.
        self.drafts: list[Draft] = [begin(original)]
        self._before: list[Draft] = []
        self._undone: list[Draft] = []

    @property
    def draft(self) -> Draft:
        return self.drafts[-1]

    @property
    def version(self) -> int:
        return len(self.drafts) - 1

    def apply(self, operation: Operation) -> Draft:
        """Apply one operation and add it to the log; raises EditError, and changes nothing, if it cannot be applied."""
        now = self.draft
        if isinstance(operation, Undo):
            after = self._taken(self._before, EditError("There is nothing to undo."))
            self._undone.append(now)
        elif isinstance(operation, Redo):
            after = self._taken(self._undone, EditError("There is nothing to redo."))
            self._before.append(now)
        else:
            after = self._rewound(operation) if isinstance(operation, Rewind) else operation.apply(now)
            if len(after) > MOST_PIECES:
                raise EditError("A dialogue here has at most {most} messages.", most=f"{MOST_PIECES:,}")
            self._before.append(now)
            self._undone.clear()
        self.drafts.append(after)
        return after

    def _rewound(self, operation: Rewind) -> Draft:
        if not 0 <= operation.to <= self.version:
            raise EditError("There are {count} operations to go back through.", count=self.version)
        return self.drafts[operation.to]

    @staticmethod
    def _taken(drafts: list[Draft], otherwise: EditError) -> Draft:
        if not drafts:
            raise otherwise
        return drafts.pop()


def replay(original: Transcript, bodies: Iterable[Any]) -> History:
    """Replay a stored log; raises EditError, with the operation's number, if it is invalid."""
    history = History(original)
    for number, body in enumerate(bodies, 1):
        try:
            history.apply(operation_from_json(body))
        except EditError as error:
            raise EditError("operation {number}: {reason}", number=number, reason=error) from error
    return history


def operation_from_json(body: Any) -> Operation:
    """Read an operation such as `{"op": "split", "at": 3, "offset": 12}`; raises EditError."""
    kind = _KINDS.get(body.get("op", "")) if isinstance(body, dict) and isinstance(body.get("op"), str) else None
    if kind is None:
        raise EditError("an operation names what it does in “op”: one of {names}", names=", ".join(_KINDS))
    wanted = {field.name for field in fields(kind)}
    if body.keys() - {"op"} != wanted:
        if not wanted:
            raise EditError("“{name}” takes nothing else", name=kind.name)
        raise EditError("“{name}” takes {wanted}", name=kind.name, wanted=", ".join(sorted(wanted)))
    hints = get_type_hints(kind)
    return kind(**{name: _read(name, body[name], hints[name]) for name in wanted})


def _read(name: str, value: Any, wanted: Any) -> Any:
    if wanted is int and type(value) is int:
        return value
    if wanted is str and isinstance(value, str):
        return value
    if wanted == tuple[str, ...] and isinstance(value, list) and all(isinstance(text, str) for text in value):
        return tuple(value)
    raise EditError("“{name}” is not what it should be", name=name)


def _piece(draft: Draft, at: int) -> Piece:
    if not 0 <= at < len(draft):
        raise EditError("There is no message {number} in this draft.", number=at + 1)
    return draft[at]


def _replaced(draft: Draft, at: int, count: int, *pieces: Piece) -> Draft:
    return draft[:at] + pieces + draft[at + count :]


def _inserted(draft: Draft, at: int, piece: Piece) -> Draft:
    return _replaced(draft, at, 0, piece)


def _loosened(draft: Draft, at: int) -> Draft:
    """The draft with the piece at a place (if there is one) no longer cut from the piece above it."""
    if at >= len(draft) or draft[at].lead is None:
        return draft
    return _replaced(draft, at, 1, draft[at]._replace(lead=None))


def _checked(text: str, *, strip: bool = True) -> str:
    text = text.strip(WHITE_SPACE) if strip else text
    problem = message_problem(1, text)
    if problem is not None:
        raise EditError("This cannot be a message: {problem}.", problem=problem)
    if len(text) > LONGEST_TEXT:
        raise EditError(TOO_LONG, most=f"{LONGEST_TEXT:,}")
    return text


def _gaps(text: str, parts: Sequence[str]) -> list[str | None]:
    """The white space between the parts if they are the text cut up; None for each if they are not."""
    gaps: list[str] = []
    place = 0
    for part in parts:
        rest = text[place:]
        gap = rest[: len(rest) - len(rest.lstrip(WHITE_SPACE))]
        if not rest.startswith(part, len(gap)):
            return [None] * (len(parts) - 1)
        gaps.append(gap)
        place += len(gap) + len(part)
    return list(gaps[1:])
