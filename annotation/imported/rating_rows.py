"""What every reader of a rating file gives: scores, what it set aside, and bad rows with their reasons."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dialogues.formats.reading import FileLines, quoted
from dialogues.formats.records import BadRecord
from dialogues.transcript import text_problem

# A score is stored as a small integer, and a scale may need a point beyond it.
FURTHEST = 32_000
LONGEST = {"rater": 200, "item": 200, "metric": 60, "version": 100, "background": 200, "dialogue": 200}
LONGEST_COMMENT = 20_000
MOST_SECONDS = 10_000_000

_WHOLE = re.compile(r"[+-]?[0-9]{1,9}(?:[.,]0{1,9})?")
_DECIMAL = re.compile(r"[+-]?[0-9]{0,15}[.,][0-9]{1,20}")
_NOT_RATED = frozenset({"", "-", "na", "n/a", "nan", "none", "null"})

Message = tuple[int, str]


class RatingError(ValueError):
    """A row that holds no score; the text says why."""


@dataclass(frozen=True, slots=True)
class RatedItem:
    """What was rated. `background` and `dialogue` are "" where the file does not name them.

    `messages` are (speaker, text), none if the file has no text; `context` those of them that came before the rated
    answer and are the same for all versions.
    """

    item: str
    version: str = ""
    background: str = ""
    dialogue: str = ""
    messages: tuple[Message, ...] = ()
    context: tuple[Message, ...] = ()
    theme: str = ""


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One score. `row` is its line or its place in a list, from 1; `note` is about this score, `comment` about all."""

    row: int
    of: RatedItem
    rater: str
    metric: str
    value: int
    scale: tuple[int, int] | None = None
    seconds: float | None = None
    comment: str = ""
    note: str = ""
    is_simulated: bool = False


@dataclass(frozen=True, slots=True)
class SetAside:
    """Something that is no score and is only counted, by kind."""

    kind: str
    count: int = 1


NOT_RATED = SetAside("not_rated")
REPEAT = SetAside("hidden_repeats")
Parsed = ScoreRow | SetAside | BadRecord


@dataclass(frozen=True, slots=True)
class RatingChoices:
    """What a person chose: the file's names of columns or keys by what they hold, and labels from worst to best.

    `only_metric` names the metric of a table that has no column for it; where it is "", a table must have one.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    only_metric: str = ""

    def asks(self, names: Sequence[str]) -> tuple[str, ...]:
        """Those of these columns that the file must have."""
        optional = {"metric"} - self.columns.keys() if self.only_metric else set()
        return tuple(name for name in names if name not in optional)


AS_IT_COMES = RatingChoices()
Reader = Callable[[FileLines, RatingChoices], Iterator[Parsed]]


def score_of(value: object) -> int | None:
    """A whole number, as it is or as text, or None for “not rated”; raises RatingError for anything else."""
    if value is None or (isinstance(value, float) and value != value):
        return None
    text = str(value).strip()
    if text.lower() in _NOT_RATED and not isinstance(value, bool):
        return None
    if isinstance(value, bool | list | dict) or not _WHOLE.fullmatch(text):
        raise RatingError(_why_not_whole(text))
    number = int(re.split("[.,]", text)[0])
    if abs(number) > FURTHEST:
        raise RatingError(f"the score {number:,} is beyond ±{FURTHEST:,}, the farthest that is stored")
    return number


def seconds_of(value: object) -> float | None:
    """Seconds as they are or as text, also with a decimal comma; None where there are none or they are no duration."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        seconds = float(str(value).strip().replace(",", "."))
    except ValueError:
        return None
    return seconds if 0 <= seconds <= MOST_SECONDS else None


def plain(name: str, value: object) -> str:
    """An id or a name as text; raises RatingError if it is missing, too long or cannot be stored."""
    if isinstance(value, bool | list | dict):
        raise RatingError(f"the {name} is not a text or a number")
    # A column of whole numbers with gaps comes as 1.0, 2.0, …
    whole = int(value) if isinstance(value, float) and value.is_integer() else value
    text = "" if whole is None else str(whole).strip()
    if len(text) > LONGEST[name]:
        raise RatingError(f"the {name} is longer than {LONGEST[name]} characters")
    if problem := text_problem(text):
        raise RatingError(f"{name}: {problem}")
    return text


def needed(name: str, value: object) -> str:
    """As `plain`, but it must be there."""
    text = plain(name, value)
    if not text:
        raise RatingError(f"the {name} is missing")
    return text


def remark(value: object) -> str:
    """A comment; raises RatingError if it cannot be stored."""
    text = "" if value is None else str(value).strip()
    if len(text) > LONGEST_COMMENT:
        raise RatingError(f"a comment is longer than {LONGEST_COMMENT:,} characters")
    if problem := text_problem(text):
        raise RatingError(f"comment: {problem}")
    return text


def labels_from(text: str) -> tuple[str, ...]:
    """Read `bad,fair,good` as labels from worst to best; raises ValueError with a sentence."""
    labels = tuple(label for label in map(str.strip, text.split(",")) if label)
    if len({label.lower() for label in labels}) < len(labels):
        raise ValueError("A label is named twice. Name each once, from worst to best.")
    if len(labels) == 1:
        raise ValueError("Name at least two labels, from worst to best, separated by commas.")
    return labels


def _why_not_whole(text: str) -> str:
    if _DECIMAL.fullmatch(text):
        return (
            f"the score “{quoted(text)}” is a decimal, and scores are whole numbers; "
            "multiply all scores of this metric to make them whole, or leave out what was averaged"
        )
    return f"the score “{quoted(text)}” is no whole number"
