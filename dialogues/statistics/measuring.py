"""The figures of dialogues from sums of their counts and from their words. Pure.

The sums may come from a database or from the texts themselves (`sums_of`).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from math import inf
from typing import Any, Protocol

from core.intervals import Estimate, PairSums, ratio_of
from dialogues.statistics.distinct import Encoded, distinct, pooled
from dialogues.statistics.figures import CorpusFigures, VersionFigures
from dialogues.statistics.words_and_turns import Tokenizer, run_shares

WORD_FIELDS: dict[Tokenizer, str] = {"whitespace": "whitespace_tokens", "words": "word_tokens"}
RUN_FIELDS = (*(f"turns_of_{n}" for n in range(1, 6)), "turns_of_6_up")

# Sums over dialogues: their number `n`, `by_demo`, `words`, `messages`, `turns`, `sum_` of each run's field, and those
# of squares and products, such as `words_squared` and `words_messages`.
Sums = Mapping[str, Any]


class Named(Protocol):
    """A version as tables name and colour it."""

    @property
    def slug(self) -> str: ...
    @property
    def symbol(self) -> str: ...
    @property
    def hue(self) -> str: ...


def sums_of(dialogues: Sequence[tuple[Mapping[str, int], bool]], tokenizer: Tokenizer) -> Sums:
    """Of dialogues as their counts (`dialogues.counts`) and whether the demo wrote them."""
    rows = [(counts[WORD_FIELDS[tokenizer]], counts["message_count"], counts["turn_count"]) for counts, _ in dialogues]
    return {
        "n": len(rows),
        "by_demo": sum(is_demo for _, is_demo in dialogues),
        "words": sum(words for words, _, _ in rows),
        "messages": sum(messages for _, messages, _ in rows),
        "turns": sum(turns for _, _, turns in rows),
        **{f"sum_{name}": sum(counts[name] for counts, _ in dialogues) for name in RUN_FIELDS},
        "words_squared": sum(words * words for words, _, _ in rows),
        "messages_squared": sum(messages * messages for _, messages, _ in rows),
        "turns_squared": sum(turns * turns for _, _, turns in rows),
        "words_messages": sum(words * messages for words, messages, _ in rows),
        "messages_turns": sum(messages * turns for _, messages, turns in rows),
    }


def measures(sums: Sums) -> dict[str, Any]:
    """The fields of `Measures`, from the sums of one group of dialogues."""
    return {
        "dialogues": sums["n"],
        **{name: sums[name] for name in ("by_demo", "messages", "turns", "words")},
        "words_per_message": _words_per_message(sums),
        "acmc": _acmc(sums),
        "consecutive": run_shares([sums[f"sum_{name}"] for name in RUN_FIELDS]),
    }


def figures_of_versions(
    versions: Iterable[Named],
    sums: Mapping[str, Sums],
    texts: Mapping[str, Encoded],
    *,
    name: str,
    tokenizer: Tokenizer,
    sparse: Collection[str] = (),
) -> CorpusFigures:
    """Figures under this name; `sums` and `texts` by version's slug. `sparse` versions are not matched with others."""
    budget = min((len(encoded.ids) for slug, encoded in texts.items() if slug not in sparse), default=0)
    return CorpusFigures(
        corpus=name,
        tokenizer=tokenizer,
        shared_only=False,
        matched_tokens=budget,
        versions=tuple(
            _figures_of(version, sums[version.slug], texts[version.slug], None if version.slug in sparse else budget)
            for version in versions
        ),
    )


def _figures_of(version: Named, sums: Sums, encoded: Encoded, budget: int | None) -> VersionFigures:
    """`budget` None: not matched with other versions."""
    measured = distinct(encoded)
    whole = {size: found.pooled for size, found in measured.items()}
    return VersionFigures(
        slug=version.slug,
        symbol=version.symbol,
        hue=version.hue,
        **measures(sums),
        distinct=measured,
        matched=_matched(whole, encoded, budget),
    )


def _matched(whole: Mapping[int, float | None], encoded: Encoded, budget: int | None) -> Mapping[int, float | None]:
    if budget is None:
        return dict.fromkeys(whole)
    return whole if budget >= len(encoded.ids) else pooled(encoded.sample(budget))


def _words_per_message(sums: Sums) -> Estimate | None:
    by_message = (sums["words_squared"], sums["words_messages"], sums["messages_squared"])
    found = ratio_of(PairSums(sums["n"], sums["words"], sums["messages"], *by_message))
    return found and found.within(0, inf)


def _acmc(sums: Sums) -> Estimate | None:
    by_turn = (sums["messages_squared"], sums["messages_turns"], sums["turns_squared"])
    found = ratio_of(PairSums(sums["n"], sums["messages"], sums["turns"], *by_turn))
    # A turn has a message at least.
    return found and found.within(1, inf)
