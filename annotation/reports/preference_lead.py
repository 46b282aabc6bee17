"""The first lines of a report of pairs: at most six sentences, each derived from its numbers. Pure."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from annotation.reports.bootstrap import ENOUGH_CLUSTERS
from annotation.reports.lead import MOST_PAIRS, MOST_SENTENCES, ROUNDING, metrics_in_words, of_agreement
from annotation.reports.pair_findings import PairLine, Preferences
from annotation.reports.preferences import Rate
from core.numbers import count_in_words

HALF = 0.5
PLANNED = "the plan named these pairs and metrics before the launch"
NOT_PLANNED = "no plan named these pairs and metrics before the launch, so they are exploratory"


def preference_lead(
    found: Preferences, *, is_confirmatory: Callable[[PairLine], bool], standing: Sequence[str]
) -> list[str]:
    """The sentences, none where nothing was compared; `standing` as in `lead`."""
    return list(islice(_sentences(found, is_confirmatory, standing), MOST_SENTENCES))


def _sentences(
    found: Preferences, is_confirmatory: Callable[[PairLine], bool], standing: Sequence[str]
) -> Iterator[str]:
    yield from standing
    lines = [line for line in found.lines if line.rate]
    planned = [line for line in lines if is_confirmatory(line)]
    told = planned or _of_last_version(found, lines)
    for pair in list(dict.fromkeys((line.first, line.second) for line in told))[: MOST_PAIRS - len(standing)]:
        yield _of_pair([line for line in told if (line.first, line.second) == pair], is_planned=bool(planned))
    yield from _of_ties_and_sides(found, lines)
    yield from of_agreement([one.estimates["alpha_ordinal"].value for one in found.agreement.over_all.values()])
    if lines:
        yield _of_whom(found, is_planned=bool(planned))


def _of_last_version(found: Preferences, lines: Sequence[PairLine]) -> list[PairLine]:
    """The last version with each other, the nearest first: what a report without a plan tells."""
    place = {version: number for number, version in enumerate(found.versions)}
    last = found.versions[-1] if found.versions else ""
    return sorted((line for line in lines if line.second == last), key=lambda line: -place[line.first])


def _of_pair(lines: Sequence[PairLine], *, is_planned: bool) -> str:
    """On how many metrics the second version won more or less than half, and what the primary analysis says of it."""
    valued = [(line, line.rate.halves.value) for line in lines if line.rate and line.rate.halves.value is not None]
    values, first, second = [value for _, value in valued], lines[0].first, lines[0].second
    more, less = [one for one in values if one - HALF > ROUNDING], [one for one in values if HALF - one > ROUNDING]
    metrics = metrics_in_words(len(values), is_planned=is_planned)
    about = f"half of its comparisons with {first} on"
    if more and less:
        said = f"more than {about} {len(more)} of {metrics} ({_span(more)})"
        said += f" and less than half on {len(less)} ({_span(less)})"
    elif more or less:
        some = more or less
        said = f"{'more' if more else 'less'} than {about} {len(some)} of {metrics} ({_span(some)})"
    else:
        said = f"{about} {metrics}"
    return f"Ties counting half, {second} won {said}; {_by_the_model(valued)}."


def _by_the_model(valued: Sequence[tuple[PairLine, float]]) -> str:
    """On how many metrics the interval of Davidson's model lies on that side of 50 % where the win rate is."""
    ends = [
        (value, line.modelled.low, line.modelled.high)
        for line, value in valued
        if line.modelled and line.modelled.low is not None and line.modelled.high is not None
    ]
    if not ends:
        return "Davidson’s model has no interval for this"
    clear = sum(
        (value - HALF > ROUNDING and low > HALF) or (HALF - value > ROUNDING and high < HALF)
        for value, low, high in ends
    )
    of = f"{len(ends)}" if len(ends) == len(valued) else f"the {len(ends)} that have one"
    caution = ", not adjusted for their number" if len(ends) > 1 else ""
    return f"the 95 % interval of Davidson’s model lies on the same side of 50 % on {clear or 'none'} of {of}{caution}"


def _span(shares: Sequence[float]) -> str:
    """“62.5 to 75.0 %”, or the one value."""
    low, high = (f"{100 * end:.1f}" for end in (min(shares), max(shares)))
    return f"{low} %" if low == high else f"{low} to {high} %"


def _of_ties_and_sides(found: Preferences, lines: Sequence[PairLine]) -> Iterator[str]:
    """Over all metrics and pairs together."""
    rates = [line.rate for line in lines if line.rate]
    ties, decisions = sum(rate.ties for rate in rates), sum(rate.n for rate in rates)
    if not decisions:
        return
    said = f"{ties:,} of {count_in_words(decisions, 'decision')} ({100 * ties / decisions:.1f} %)"
    yield f"{said} {'was a tie' if ties == 1 else 'were ties'}{_of_sides(found.left[-1])}."


def _of_sides(left: Rate) -> str:
    """The end of the sentence: whether decided comparisons favoured a side."""
    if left.value is None:
        return ""
    said = f", and {100 * left.value:.1f} % of the others chose the left dialogue"
    if left.low is None or left.high is None:
        return f"{said}, without an interval"
    if left.low > HALF or left.high < HALF:
        side = "left" if left.low > HALF else "right"
        return f"{said}: the 95 % interval excludes 50 %, so raters favoured the {side} side"
    return f"{said}, with 50 % in the 95 % interval"


def _of_whom(found: Preferences, *, is_planned: bool) -> str:
    few = (
        f" With fewer than {ENOUGH_CLUSTERS} backgrounds the intervals can be too narrow."
        if 1 < found.compared_backgrounds < ENOUGH_CLUSTERS
        else ""
    )
    status = PLANNED if is_planned else NOT_PLANNED
    return f"All this applies to these raters and to backgrounds like these, not to other raters; {status}.{few}"
