"""Tables of what differs: means for both targets, all pairs of versions, other models beside, raters' severity."""

from collections.abc import Iterator
from typing import NamedTuple

from annotation.design.plan import AnalysisPlan, status
from annotation.reports.analysis import Difference, Mean, shown
from annotation.reports.findings import Findings, Key, shown_pairs
from annotation.reports.models.equivalence import Equivalence, two_one_sided_tests
from annotation.reports.models.intervals import Interval, Target, Unfit
from annotation.reports.models.mixed import MixedFit
from annotation.reports.notes import LIKE_THESE, THESE, interval_note, listed, provenance
from annotation.reports.reported import Reported
from core.tables import Cell, Column, Estimate, PValue, Table

LIKE_THESE_HEAD, THESE_HEAD = (target.value.capitalize() for target in Target)


def means(study: Reported, found: Findings, *, dashes: bool = True) -> Table:
    """Every mean with both intervals, and the plain mean of the scores as they are."""
    rows = [
        (metric.name, version.symbol, *_mean_cells(mean))
        for metric in found.metrics
        for version in found.versions
        if (mean := found.means[metric.key, version.slug]) and not (dashes and version.slug in metric.dash_for)
    ]
    columns = (
        Column("Metric", numeric=False),
        Column("Version", numeric=False),
        Column("Scores"),
        Column("Raters"),
        Column("Backgrounds"),
        Column("Plain mean"),
        Column("Standard deviation"),
        Column("Mean", group=LIKE_THESE_HEAD),
        Column("Mean", group=THESE_HEAD),
    )
    notes = (
        *provenance(study, found),
        f"{LIKE_THESE} {THESE}",
        "Plain mean: of all scores as they are, with their standard deviation (n − 1). The means with intervals allow "
        "for who scored what; where every rater scored everything, all three agree.",
    )
    return Table("means", "Mean scores, for raters like these and for these raters.", columns, tuple(rows), notes)


def _mean_cells(mean: Mean) -> tuple[Cell, ...]:
    counts = (mean.n, mean.raters, mean.backgrounds)
    return (
        *counts,
        mean.plain,
        mean.deviation,
        shown(mean.like_these, mean.n, mean.plain),
        shown(mean.these, mean.n, mean.plain),
    )


def comparisons(study: Reported, found: Findings, *, dashes: bool = True) -> Table:
    """All pairs of versions by the primary analysis."""
    plan = AnalysisPlan.of(study.analysis_plan)
    rows = [
        (*metric_and_pair(found, key), *([status(plan, *key)] if plan else []), *_difference_cells(found, key))
        for key in shown_pairs(found, dashes=dashes)
    ]
    columns = (
        Column("Metric", numeric=False),
        Column("Versions", numeric=False),
        *([Column("Status", numeric=False)] if plan else []),
        Column("Difference"),
        Column("df", 1),
        Column("p", 4),
        Column("p, adjusted", 4),
        Column("Effect d", 2),
        Column("Higher, %", 1),
    )
    notes = (
        *provenance(study, found),
        f"Difference of mean scores; n counts backgrounds that have both. {interval_note(found.target)}",
        *_price_of_few_raters(found),
        *_primary_note(found),
        f"{_tested(found)} d: mean difference of the "
        "backgrounds over the standard deviation of their differences (n − 1). Higher: share of backgrounds where the "
        "first-named version scored higher, ties counting half.",
    )
    return Table("comparisons", f"Differences between versions, for {found.target.value}.", columns, tuple(rows), notes)


def no_worse(study: Reported, found: Findings) -> Table | None:
    """The claims of the plan that a version is not worse than another by a margin; None where it makes none."""
    plan = AnalysisPlan.of(study.analysis_plan)
    if plan is None or plan.margin is None:
        return None
    rows = tuple((*metric_and_pair(found, claim.key), *_margin_cells(claim)) for claim in margin_claims(plan, found))
    columns = (
        Column("Metric", numeric=False),
        Column("Versions", numeric=False),
        Column("Difference"),
        Column("p, no worse", 4),
        Column("p, within the margin", 4),
        Column("Claim", numeric=False),
    )
    notes = (
        *provenance(study, found),
        f"Margin, written down before the launch: {plan.margin:g} points. In brackets: 90 % interval for "
        f"{found.target.value}, which goes with two one-sided tests at .05 (Schuirmann 1987): a version is no worse if "
        "the interval lies above minus the margin, and equivalent if it lies within both margins. Not adjusted.",
    )
    return Table("no-worse", "No worse than the other version, by a margin.", columns, rows, notes)


class MarginClaim(NamedTuple):
    """A claim of the plan that a version is no worse: `key` names the other version first, and n counts backgrounds.

    `tested` is None where there is nothing to test with.
    """

    key: Key
    n: int
    tested: Equivalence | None

    @property
    def verdict(self) -> str:
        if self.tested is None:
            return "not tested"
        return "equivalent" if self.tested.is_equivalent else "no worse" if self.tested.is_no_worse else "not shown"


def margin_claims(plan: AnalysisPlan, found: Findings) -> list[MarginClaim]:
    """Every claim of the plan, by pair and primary metric; none without a margin."""
    if plan.margin is None:
        return []
    keys = ((metric, *pair) for pair in plan.not_worse for metric in plan.metrics)
    return [_margin_claim(found, key, plan.margin) for key in keys]


def _margin_claim(found: Findings, key: Key, margin: float) -> MarginClaim:
    metric, first, second = key
    difference, sign = found.differences.get(key), 1
    if difference is None:
        # The plan may name the versions of a pair the other way round.
        difference, sign = found.differences.get((metric, second, first)), -1
    primary = found.primary(difference) if difference else None
    if difference is None or primary is None or primary.value is None or primary.se is None or primary.df is None:
        return MarginClaim(key, 0, None)
    tested = two_one_sided_tests(sign * primary.value, primary.se, primary.df, margin)
    return MarginClaim(key, difference.backgrounds, None if isinstance(tested, Unfit) else tested)


def _margin_cells(claim: MarginClaim) -> tuple[Cell, ...]:
    tested = claim.tested
    if tested is None:
        return (None, None, None, claim.verdict)
    cell = Estimate(tested.difference, claim.n, tested.low, tested.high)
    return (cell, PValue(tested.no_worse_p), PValue(tested.p), claim.verdict)


def robustness(study: Reported, found: Findings, *, dashes: bool = True) -> Table:
    """The same differences by other analyses, so that a reader sees what hangs on the choice of one."""
    rows = [
        (*metric_and_pair(found, key), *_robust_cells(difference))
        for key in shown_pairs(found, dashes=dashes)
        if (difference := found.differences[key])
    ]
    columns = (
        Column("Metric", numeric=False),
        Column("Versions", numeric=False),
        Column("Difference", group=THESE_HEAD),
        Column("p", 4, group=THESE_HEAD),
        Column("Difference", group="Mixed model without items"),
        Column("p", 4, group="Mixed model without items"),
        Column("Odds ratio", group="Ordinal mixed model"),
        Column("p", 4, group="Ordinal mixed model"),
        Column("Lowest", group="One rater left out"),
        Column("Highest", group="One rater left out"),
    )
    notes = (
        *provenance(study, found),
        f"{THESE} Mixed model without items: value ~ version, with random backgrounds, raters and raters × versions, "
        "REML, Satterthwaite's degrees of freedom; it treats two versions' dialogues on one background as repetitions. "
        "Ordinal: cumulative link mixed model, logit, random backgrounds and raters, Laplace approximation; odds that "
        "the first-named version scores higher. One rater left out: the least and greatest mean of the raters' own "
        "differences when each rater is left out in turn. No p here is adjusted.",
        *_unfit_notes(found),
    )
    return Table("robustness", "The same differences by other analyses.", columns, tuple(rows), notes)


def severity(study: Reported, found: Findings) -> Table | None:
    """By how much each rater scores above all, by metric; None where no metric has a model."""
    cells = severities(found)
    if not cells:
        return None
    raters = sorted({number for number, _ in cells})
    rows = tuple(
        (found.names[number], *(cells.get((number, metric.key)) for metric in found.metrics)) for number in raters
    )
    columns = (Column("Rater", numeric=False), *(Column(metric.name) for metric in found.metrics))
    notes = (
        *provenance(study, found),
        "By how many points a rater scores above the mean of all raters on the same dialogues: the mixed model's "
        "prediction, drawn towards 0 as far as chance explains it, with its 95 % interval; n counts the rater's "
        "scores.",
        *_unfit_notes(found),
    )
    return Table("severity", "Raters' severity or leniency (above 0 is lenient).", columns, rows, notes)


def severities(found: Findings) -> dict[tuple[int, str], Estimate]:
    """By a rater's number and a metric's key, of the metrics that have a mixed model; n counts the rater's scores."""
    cells: dict[tuple[int, str], Estimate] = {}
    for key, one in found.analyses.items():
        if isinstance(one.mixed, MixedFit):
            counted = zip(one.numbers, one.mixed.severity, one.scores_by_rater, strict=True)
            cells |= {(number, key): shown(effect, n) for number, effect, n in counted}
    return cells


def metric_and_pair(found: Findings, key: Key) -> tuple[str, str]:
    """How a difference is named: its metric, and both versions' symbols."""
    symbols = {version.slug: version.symbol for version in found.versions}
    names = {metric.key: metric.name for metric in found.metrics}
    return names[key[0]], f"{symbols[key[2]]} − {symbols[key[1]]}"


def _difference_cells(found: Findings, key: Key) -> tuple[Cell, ...]:
    difference = found.differences[key]
    if difference is None:
        return (None,) * 6
    primary = found.primary(difference)
    return (
        _interval_cell(primary, difference.backgrounds),
        primary.df,
        _p(primary.p),
        _p(found.adjusted[key]),
        difference.effect,
        100 * difference.higher,
    )


def _robust_cells(difference: Difference) -> tuple[Cell, ...]:
    mixed, odds, n = difference.mixed, difference.odds, difference.backgrounds
    return (
        _interval_cell(difference.these, n),
        _p(difference.these.p),
        _interval_cell(mixed, n) if mixed else None,
        _p(mixed.p) if mixed else None,
        Estimate(odds.odds_ratio, n, odds.low, odds.high) if odds else None,
        _p(odds.p) if odds else None,
        *(difference.without_one or (None, None)),
    )


def _interval_cell(interval: Interval, n: int) -> Cell:
    return None if interval.value is None else shown(interval, n)


def _p(value: float | None) -> PValue | None:
    return None if value is None else PValue(value)


def _primary_note(found: Findings) -> Iterator[str]:
    if found.target == Target.RATERS_LIKE_THESE:
        yield (
            "Primary analysis: linear mixed model by REML, value ~ version, with random backgrounds, dialogues, raters "
            "and raters × versions. How often its intervals hold the truth is measured in docs/method/coverage.md."
        )


def _tested(found: Findings) -> str:
    """What p is, and what is adjusted together."""
    tests = sum(p is not None for p in found.adjusted.values())
    if not tests:
        return "p: none, as no difference could be tested."
    possible = sum(one is not None and found.primary(one).p is not None for one in found.differences.values())
    family = (
        "the primary pairs on the primary metrics of the study's plan"
        if tests < possible
        else "all pairs of versions on every metric asked about both, whether shown here or behind a dash"
    )
    adjusted = f"Holm-adjusted for {tests:,} tests" if tests > 1 else "not adjusted, as there is one test"
    return f"p: two-sided, Student's t with these degrees of freedom, {adjusted}: {family}."


def _price_of_few_raters(found: Findings) -> Iterator[str]:
    """How much wider these intervals are than those for these raters only."""
    shares = sorted(
        (one.like_these.high - one.like_these.low) / (one.these.high - one.these.low)
        for one in found.differences.values()
        if one and one.like_these.low is not None and one.like_these.high is not None
        and one.these.low is not None and one.these.high is not None
    )  # fmt: skip
    raters = max((mean.raters for mean in found.means.values() if mean), default=0)
    if shares and (middle := shares[len(shares) // 2]) > 1:
        yield (
            f"With {raters:,} raters these intervals are {middle:.1f} times as wide (median) as those that take the "
            "raters as given: that is the cost of generalizing to other raters."
        )


def _unfit_notes(found: Findings) -> Iterator[str]:
    """A sentence for each reason why a model has no values."""
    reasons: dict[str, list[str]] = {}
    names = {metric.key: metric.name for metric in found.metrics}
    for key, one in found.analyses.items():
        no_mixed = one.mixed.reason if isinstance(one.mixed, Unfit) else ""
        for label, reason in (("mixed model", no_mixed), ("ordinal model", one.no_ordinal)):
            if reason:
                reasons.setdefault(f"no {label}. {reason}", []).append(names[key])
    for reason, metrics in reasons.items():
        yield f"{listed(metrics)}: {reason}"
