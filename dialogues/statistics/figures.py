"""The figures of a corpus and its versions, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.intervals import Estimate
from dialogues.statistics.distinct import Distinct
from dialogues.statistics.words_and_turns import Tokenizer


@dataclass(frozen=True, slots=True)
class Measures:
    """How long some dialogues and their turns are (paper Tables 4 and 5).

    `by_demo` of the dialogues were written by the demo rules. `consecutive` holds shares (0 to 1) of turns by number
    of messages, "1" … "5" and "6+".
    """

    dialogues: int
    by_demo: int
    messages: int
    turns: int
    words: int
    words_per_message: Estimate | None
    acmc: Estimate | None
    consecutive: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class VersionFigures(Measures):
    """The figures of one version.

    `distinct` and `matched` are by N; `matched` is the pooled Distinct-N of a seeded sample of
    `CorpusFigures.matched_tokens` tokens, as many from every version.
    """

    slug: str
    symbol: str
    hue: str
    distinct: Mapping[int, Distinct]
    matched: Mapping[int, float | None]

    def to_json(self) -> dict[str, Any]:
        return {
            "symbol": self.symbol,
            "dialogues": self.dialogues,
            "by_demo_rules": self.by_demo,
            "messages": self.messages,
            "turns": self.turns,
            "words": self.words,
            "words_per_message": value_of(self.words_per_message),
            "words_per_message_interval": interval_of(self.words_per_message),
            "words_per_message_no_interval": why_none(self.words_per_message),
            "acmc": value_of(self.acmc),
            "acmc_interval": interval_of(self.acmc),
            "acmc_no_interval": why_none(self.acmc),
            "consecutive": dict(self.consecutive),
            "distinct": {
                str(size): {
                    "pooled": found.pooled,
                    "mean": value_of(found.mean),
                    "mean_n": found.mean.n if found.mean else 0,
                    "mean_interval": interval_of(found.mean),
                    "mean_no_interval": why_none(found.mean),
                    "matched": self.matched[size],
                }
                for size, found in self.distinct.items()
            },
        }


@dataclass(frozen=True, slots=True)
class CorpusFigures:
    """Every version of a corpus under one tokenizer, in the order of the versions.

    `shared_only`: only backgrounds that every version has were counted. `source`: whose dialogues, in words. `again`:
    by version, on how many backgrounds it was written more than once; `every` says that all of these count, else one
    a background does. `sparse`: versions that cover too few backgrounds to be matched, with how many, in words.
    """

    corpus: str
    tokenizer: Tokenizer
    shared_only: bool
    matched_tokens: int
    versions: tuple[VersionFigures, ...]
    source: str = ""
    again: Mapping[str, int] = field(default_factory=dict)
    every: bool = False
    sparse: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "corpus": self.corpus,
            "tokenizer": self.tokenizer,
            "backgrounds": "shared" if self.shared_only else "all",
            "matched_tokens": self.matched_tokens,
            "source": self.source,
            "counted": "every" if self.every else "latest",
            "written_again": dict(self.again),
            "not_matched": dict(self.sparse),
            "versions": {version.slug: version.to_json() for version in self.versions},
        }


def value_of(estimate: Estimate | None) -> float | None:
    return estimate.value if estimate else None


def interval_of(estimate: Estimate | None) -> list[float] | None:
    """The ends of the 95 % interval, or None where there is none."""
    if estimate is None or estimate.low is None or estimate.high is None:
        return None
    return [estimate.low, estimate.high]


def why_none(estimate: Estimate | None) -> str:
    """Why an estimate has no interval; empty where it has one."""
    return estimate.no_interval if estimate else ""
