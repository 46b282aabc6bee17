"""Tables of the agreement between a study's raters."""

from collections.abc import Iterable, Iterator, Mapping

from annotation.reports.agreement import Agreement
from annotation.reports.agreement import Estimate as Coefficient
from annotation.reports.findings import Findings
from annotation.reports.notes import (
    INTERVALS,
    hidden_note,
    is_unasked,
    listed,
    own_chats_note,
    provenance,
    unasked_notes,
)
from annotation.reports.reported import Reported
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
    "within_1": ("Within one, %", 0),
}


def agreement(study: Reported, found: Findings) -> Table:
    """Agreement between raters on each metric, over all versions."""
    columns = (
        Column("Metric", numeric=False),
        *(Column(label, decimals) for label, decimals in COEFFICIENTS.values()),
    )
    rows = tuple(
        (metric.name, *(coefficient(found.agreement[metric.key], key) for key in COEFFICIENTS))
        for metric in found.metrics
    )
    notes = (
        *provenance(study, found),
        "α: Krippendorff's. ICC: two-way random effects, absolute agreement, one rater and the mean of the k raters of "
        "an item. κ: quadratic weights, pooled over all pairs of scores of an item. Within one: share of such pairs "
        "that differ by one point at most.",
        f"{INTERVALS} backgrounds. Those of ICC are for raters like these (F, Satterthwaite's degrees of freedom; "
        "McGraw and Wong 1996; where scores are missing, approximated from variance components). n counts the items "
        "that a value rests on.",
        *hidden_note(found),
        *own_chats_note(study),
        *_undefined_notes(found),
    )
    return Table("agreement", "Agreement between raters by metric, all versions together.", columns, rows, notes)


def agreement_by_version(study: Reported, found: Findings, *, dashes: bool = True) -> Table:
    """Ordinal α within each version."""
    columns = (Column("Metric", numeric=False), *(Column(version.symbol) for version in found.versions))
    rows = tuple(
        (
            metric.name,
            *(
                None
                if _is_blank(found, metric, version.slug, dashes=dashes)
                else coefficient(found.agreement_by_version[metric.key, version.slug], "alpha_ordinal")
                for version in found.versions
            ),
        )
        for metric in found.metrics
    )
    notes = (
        *provenance(study, found),
        *_beside_all_versions(found, dashes=dashes),
        f"{INTERVALS} backgrounds.",
        *own_chats_note(study),
        *unasked_notes(found),
        *_undefined_by_version(found, dashes=dashes),
    )
    return Table("agreement-by-version", "Krippendorff's α (ordinal) within each version.", columns, rows, notes)


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
        (metric.name, {label: found.agreement[metric.key].estimates[key] for key, (label, _) in COEFFICIENTS.items()})
        for metric in found.metrics
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


def _undefined_by_version(found: Findings, *, dashes: bool) -> Iterator[str]:
    def shown(metric: Metric) -> dict[str, Coefficient]:
        return {
            version.symbol: found.agreement_by_version[metric.key, version.slug].estimates["alpha_ordinal"]
            for version in found.versions
            if not _is_blank(found, metric, version.slug, dashes=dashes)
        }

    yield from undefined_notes((metric.name, shown(metric)) for metric in found.metrics)


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
