"""Measures of an example set: lengths, topics, speakers, and how much of the context window it takes."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from dialogues.fidelity import fidelity
from dialogues.statistics.words_and_turns import count_words
from dialogues.transcript import Transcript
from generation.curation.content import Content

NO_TOPIC = "no topic"


@dataclass(frozen=True, slots=True)
class Lengths:
    """One text measured; words are whitespace tokens, `acmc` is messages a turn."""

    messages: int
    words_per_message: float
    acmc: float

    @classmethod
    def of(cls, *transcripts: Transcript) -> "Lengths":
        """Of several texts together: ratios of sums."""
        messages = sum(map(len, transcripts))
        words = sum(count_words((message.text for message in one), "whitespace") for one in transcripts)
        return cls(messages, words / messages, messages / sum(one.turn_count() for one in transcripts))


@dataclass(frozen=True, slots=True)
class Weighed:
    """One example: its lengths, for a pair before and after, the share of words kept, and its tokens in a prompt."""

    position: int
    topic: str
    before: Lengths
    after: Lengths | None
    kept: float | None
    traits: tuple[int, int]
    opens: int
    spoken: tuple[int, int]
    tokens: int

    @property
    def kept_percent(self) -> float:
        return 100 * (self.kept or 0)


@dataclass(frozen=True, slots=True)
class Share:
    """One bar: `percent` of the longest is its length, `count` of `total` its meaning."""

    label: str
    count: int
    total: int

    @property
    def percent(self) -> int:
        return round(100 * self.count / self.total) if self.total else 0


@dataclass(frozen=True, slots=True)
class Balance:
    rows: tuple[Weighed, ...]
    before: Lengths
    after: Lengths | None
    kept: float | None
    topics: tuple[Share, ...]
    openers: tuple[Share, ...]
    speakers: tuple[Share, ...]
    traits: tuple[Share, ...]

    @property
    def kept_percent(self) -> float:
        """Mean over the pairs."""
        return 100 * (self.kept or 0)

    @property
    def longest(self) -> int:
        return max(row.tokens for row in self.rows)


def balance_of(contents: Sequence[Content], tokens: Sequence[int]) -> Balance | None:
    """`tokens` are those of each example in a prompt; None for an empty set."""
    if not contents:
        return None
    rows = tuple(_weighed(number, *one) for number, one in enumerate(zip(contents, tokens, strict=True), 1))
    afters = [content.messages_after for content in contents if content.messages_after is not None]
    shares = [row.kept for row in rows if row.kept is not None]
    spoken = Counter({label: sum(row.spoken[place] for row in rows) for place, label in enumerate("AB")})
    return Balance(
        rows,
        Lengths.of(*(content.messages for content in contents)),
        Lengths.of(*afters) if afters else None,
        sum(shares) / len(shares) if shares else None,
        _shares(Counter(row.topic for row in rows)),
        _shares(Counter("AB"[row.opens - 1] for row in rows), labels=("A", "B")),
        _shares(spoken, labels=("A", "B")),
        _shares(Counter(str(count) for row in rows for count in row.traits), total=2 * len(rows)),
    )


def _weighed(position: int, content: Content, tokens: int) -> Weighed:
    after = content.messages_after
    spoken = Counter(message.speaker for message in (after or content.messages))
    return Weighed(
        position,
        content.topic or NO_TOPIC,
        Lengths.of(content.messages),
        Lengths.of(after) if after else None,
        fidelity(content.messages, after).kept if after else None,
        (len(content.traits_1), len(content.traits_2)),
        content.messages.messages[0].speaker,
        (spoken[1], spoken[2]),
        tokens,
    )


def _shares(counted: Counter[str], labels: Sequence[str] = (), total: int = 0) -> tuple[Share, ...]:
    """Bars for these labels, or for all: most frequent first, then by name."""
    total = total or counted.total()
    names = labels or sorted(counted, key=lambda label: (-counted[label], label))
    return tuple(Share(label, counted[label], total) for label in names)
