"""Tables of the agreement between a study's raters."""

from collections.abc import Iterable, Iterator, Mapping

from annotation.reports.agreement import Agreement
from annotation.reports.agreement import Estimate as Coefficient
from annotation.reports.findings import Findings
from annotation.reports.notes import (
    INTERVALS,
    dash_notes,
    few_clusters_note,
    hidden_note,
    is_unasked,
    listed,
    own_chats_note,
    provenance,
    unasked_notes,
)
from annotation.reports.reported import Reported
from annotation.reports.study_agreement import OF_PAIRS, PairsOfRaters
from core.tables import Cell, Column, Estimate, Table
from dialogues.rubric import Metric

SHARES = ("exact", "within_1")
# Each coefficient's column: label and decimals.
COEFFICIENTS = {
    "alpha_ordinal": ("α, ordinal", 2),
    "alpha_interval": ("α, interval", 2),
    "icc_2,1": ("ICC(2,1)", 2),
    "icc_2,k": ("ICC(2,k)", 2),
    "kappa": ("Weighted κ", 2),
    "exact": ("Exact, %", 0),
    "within_1": ("Within one, %", 0),
}


ICC_INTERVALS = (
    "Intervals of ICC are 95 % intervals for raters like these (F, Satterthwaite's degrees of freedom; McGraw and Wong "
    "1996; where scores are missing, approximated from variance components)."
)
_WHAT = (
    "α: Krippendorff's. ICC: two-way random effects, absolute agreement, one rater and the mean of the k raters of an "
    "item. κ: quadratic weights, pooled over all pairs of scores of an item. Exact and within one: the shares of these "
    "pairs that are equal, or differ by one point at most."
)
ONLY_ALPHA = "Only ordinal α has such an interval here."
BY_PAIR = "Agreement between pairs of raters by metric, by pseudonym."
_OF_ALPHA = "Only ordinal α has such an interval here; the table of all versions together has those of the others."
_N = "n counts the items that a value rests on."


def agreement(study: Reported, found: Findings) -> Table:
    """Agreement between raters on each metric, over all versions."""
    rows = tuple((metric.name, *cells_of(found.agreement[metric.key])) for metric in found.metrics)
    notes = (
        *provenance(study, found),
        _WHAT,
        f"{INTERVALS} backgrounds.",
        *few_clusters_note(found.agreement.values()),
        ICC_INTERVALS,
        _N,
        *hidden_note(found),
        *own_chats_note(study),
        *_undefined_notes(found),
    )
    caption = "Agreement between raters by metric, all versions together."
    return Table("agreement", caption, columns_of("Metric"), rows, notes)


def agreement_by_version(study: Reported, found: Findings, *, dashes: bool = True) -> Table:
    """All coefficients within each version."""
    cells = [(metric, version) for metric in found.metrics for version in found.versions]
    shown = {
        (metric.key, version.slug): found.agreement_by_version[metric.key, version.slug]
        for metric, version in cells
        if not _is_blank(found, metric, version.slug, dashes=dashes)
    }
    blank = (None,) * len(COEFFICIENTS)
    rows = tuple(
        (
            metric.name,
            version.symbol,
            *(cells_of(shown[key]) if (key := (metric.key, version.slug)) in shown else blank),
        )
        for metric, version in cells
    )
    notes = (
        *provenance(study, found),
        *_beside_all_versions(found, dashes=dashes),
        f"{INTERVALS} backgrounds. {_OF_ALPHA}",
        *few_clusters_note(shown.values()),
        ICC_INTERVALS,
        _N,
        *own_chats_note(study),
        *(dash_notes(found) if dashes else ()),
        *unasked_notes(found),
        *undefined_notes(
            (f"{metric.name} ({version.symbol})", by_label(shown[key], COEFFICIENTS))
            for metric, version in cells
            if (key := (metric.key, version.slug)) in shown
        ),
    )
    caption = "Agreement between raters by metric and version."
    return Table("agreement-by-version", caption, columns_of("Metric", "Version"), rows, notes)


def agreement_by_pair(study: Reported, found: Findings) -> Iterator[Table]:
    """Agreement of two raters each, by pseudonym; without a third rater the table of all raters says as much."""
    if len(found.raters) < 3 or not found.pairs.shown:
        return
    shown = by_metric_and_pair(found.metrics, found.pairs)
    notes = (
        *provenance(study, found),
        "Over the items that both raters scored; the pairs who share most items come first.",
        *pairs_left_out(found.pairs),
        f"{INTERVALS} backgrounds. {ONLY_ALPHA}",
        *few_clusters_note(agreed for _, agreed in shown),
        _N,
        *hidden_note(found),
        *own_chats_note(study),
        *undefined_notes((f"{metric} ({pair})", by_label(agreed, OF_PAIRS)) for (metric, pair), agreed in shown),
    )
    rows = tuple((*names, *cells_of(agreed, OF_PAIRS)) for names, agreed in shown)
    yield Table("agreement-by-pair", BY_PAIR, columns_of("Metric", "Pair", keys=OF_PAIRS), rows, notes)


def by_metric_and_pair(metrics: Iterable[Metric], pairs: PairsOfRaters) -> list[tuple[tuple[str, str], Agreement]]:
    """The agreement of every pair that is shown, by names of the metric and of the pair."""
    return [
        ((metric.name, " and ".join(pair.raters)), pair.by_metric[metric.key])
        for metric in metrics
        for pair in pairs.shown
        if metric.key in pair.by_metric
    ]


def columns_of(*heads: str, keys: Iterable[str] = COEFFICIENTS) -> tuple[Column, ...]:
    return (*(Column(head, numeric=False) for head in heads), *(Column(*COEFFICIENTS[key]) for key in keys))


def cells_of(agreed: Agreement, keys: Iterable[str] = COEFFICIENTS) -> Iterator[Cell]:
    return (coefficient(agreed, key) for key in keys)


def by_label(agreed: Agreement, keys: Iterable[str]) -> dict[str, Coefficient]:
    return {COEFFICIENTS[key][0]: agreed.estimates[key] for key in keys}


def pairs_left_out(pairs: PairsOfRaters) -> Iterator[str]:
    if pairs.left_out:
        shown = len(pairs.shown)
        known = shown + pairs.left_out
        yield f"These are {shown:,} of {known:,} pairs of raters who share an item; {pairs.left_out:,} are left out."


def raters(study: Reported, found: Findings) -> Table:
    """Figures for each rater, by pseudonym."""
    columns = (
        Column("Rater", numeric=False),
        Column("Items"),
        Column("Mean score"),
        Column("Standard deviation"),
        Column("Within one point of others, %", 1),
    )
    rows = tuple(
        (one.pseudonym, one.items, one.mean, one.deviation, None if one.near is None else 100 * one.near)
        for one in found.raters
    )
    notes = (
        *provenance(study, found),
        "Over all metrics. The last column is the share of pairs of scores, this rater's and another's of the same "
        "item and metric, that differ by one point at most. The standard deviation divides by the number of scores.",
    )
    return Table("raters", "Raters, by pseudonym.", columns, rows, notes)


def coefficient(agreed: Agreement, key: str) -> Cell:
    """One coefficient as a cell; shares are in per cent, and n counts the items that the value rests on."""
    factor = 100 if key in SHARES else 1
    found = agreed.estimates[key]
    if found.value is None:
        return "undefined"
    n = agreed.units if key.startswith("icc") else agreed.paired_units
    return Estimate(found.value, n, found.low, found.high, found.no_interval).times(factor)


def _undefined_notes(found: Findings) -> Iterator[str]:
    """A sentence for every undefined value, and on how correlations deal with missing scores."""
    yield from undefined_notes(
        (metric.name, by_label(found.agreement[metric.key], COEFFICIENTS)) for metric in found.metrics
    )
    first = next(iter(found.agreement.values()), None)
    if first and first.incomplete_units:
        yield (
            f"{first.incomplete_units:,} of {first.units:,} items were not scored by all {first.raters} raters, so ICC "
            "is from variance components (REML, every score counted), k being the mean number of scores an item: "
            "ICC(A,1) and ICC(A,k) of McGraw and Wong (1996)."
        )


def _beside_all_versions(found: Findings, *, dashes: bool) -> Iterator[str]:
    """How α within versions compares with α over all of them."""
    known = []
    for metric in found.metrics:
        over_all = found.agreement[metric.key].estimates["alpha_ordinal"].value
        for version in found.versions:
            within = found.agreement_by_version[metric.key, version.slug].estimates["alpha_ordinal"].value
            is_shown = not _is_blank(found, metric, version.slug, dashes=dashes)
            if is_shown and within is not None and over_all is not None:
                known.append(within < over_all)
    if known:
        yield (
            f"In {sum(known)} of {len(known)} cells α is lower than over all versions, where scores also vary with the "
            "version."
        )


def _is_blank(found: Findings, metric: Metric, slug: str, *, dashes: bool) -> bool:
    return (dashes and slug in metric.dash_for) or is_unasked(found, metric, slug)


def undefined_notes(rows: Iterable[tuple[str, Mapping[str, Coefficient]]]) -> Iterator[str]:
    """One sentence for each reason and the columns it explains, naming the rows; a row's values are by column."""
    explained: dict[tuple[str, str], list[str]] = {}
    for name, estimates in rows:
        reasons: dict[str, list[str]] = {}
        for label, found in estimates.items():
            if found.undefined:
                reasons.setdefault(found.undefined.value, []).append(label)
        for reason, labels in reasons.items():
            explained.setdefault((listed(labels), reason), []).append(name)
    for (labels_in_words, reason), names in explained.items():
        yield f"{listed(names)}: {labels_in_words} undefined, because {reason}."
