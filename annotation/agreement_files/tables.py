"""Agreement in a file as tables, and as JSON."""

from collections.abc import Iterator, Sequence
from typing import Any

from annotation.agreement_files.measuring import Group, Measured
from annotation.reports.agreement import Agreement, Estimate
from annotation.reports.agreement_tables import ICC_INTERVALS, coefficient
from annotation.reports.models.intervals import Target
from annotation.reports.notes import PERCENTILES
from core.tables import Cell, Column, Table

# Each coefficient's name in JSON, label and decimals.
COLUMNS = {
    "alpha_ordinal": ("alpha_ordinal", "α, ordinal", 2),
    "alpha_interval": ("alpha_interval", "α, interval", 2),
    "icc_2,1": ("icc_a1", "ICC(A,1)", 2),
    "icc_2,k": ("icc_ak", "ICC(A,k)", 2),
    "icc_3,1": ("icc_c1", "ICC(C,1)", 2),
    "kappa": ("kappa", "Weighted κ", 2),
    "exact": ("exact", "Exact, %", 0),
    "within_1": ("within_one", "Within one, %", 0),
}
MOST_NAMED = 3
COUNTS = ("Scores", "Raters", "Items")


def agreement_tables(found: Measured) -> list[Table]:
    """By metric, then by version and by pair of raters where there are several."""
    by_version = [((one.metric, one.version), one) for one in found.by_version]
    by_pair = [((one.metric, " and ".join(one.raters)), one) for one in found.by_pair]
    tables = [_by_metric(found)]
    if by_version:
        caption = "Agreement between raters by metric and version."
        tables.append(_table("by-version", caption, ("Metric", "Version"), by_version, found))
    if by_pair:
        caption = "Agreement between pairs of raters by metric, over the items that both scored."
        tables.append(_table("by-pair", caption, ("Metric", "Pair"), by_pair, found))
    return tables


def as_json(found: Measured) -> dict[str, Any]:
    """Every figure, unrounded; shares are from 0 to 1."""
    return {
        "intervals": {
            "level": 0.95,
            "target": Target.THESE_RATERS,
            "resampled": f"{found.cluster}s",
            "draws": found.draws,
            "icc_target": Target.RATERS_LIKE_THESE,
        },
        "by_metric": [_group(one) for one in found.by_metric],
        "by_version": [{"version": one.version, **_group(one)} for one in found.by_version],
        "by_pair": [{"between": list(one.raters), **_group(one)} for one in found.by_pair],
        "left_out": found.left_out,
    }


def _group(group: Group) -> dict[str, Any]:
    agreed = group.agreement
    return {
        "metric": group.metric,
        "scores": group.scores,
        "raters": agreed.raters,
        "items": agreed.units,
        "items_with_two_scores": agreed.paired_units,
        "coefficients": {name: _coefficient(agreed, key) for key, (name, _, _) in COLUMNS.items()},
    }


def _coefficient(agreed: Agreement, key: str) -> dict[str, Any]:
    """The value with its interval and whom that speaks of, or the reason why there is none of either.

    One for raters like these has that for these raters beside it.
    """
    found = agreed.estimates[key]
    if found.undefined:
        return {"value": None, "reason": found.undefined.value}
    if key not in agreed.these_raters:
        return {"value": found.value, **_interval(found, Target.THESE_RATERS)}
    beside = _interval(agreed.these_raters[key], Target.THESE_RATERS)
    return {"value": found.value, **_interval(found, Target.RATERS_LIKE_THESE), "these_raters": beside}


def _interval(found: Estimate, target: Target) -> dict[str, Any]:
    if found.low is None:
        return {"low": None, "high": None, "reason": found.no_interval}
    return {"low": found.low, "high": found.high, "target": target}


def _by_metric(found: Measured) -> Table:
    groups = [((one.metric,), one) for one in found.by_metric]
    return _table("agreement", "Agreement between raters by metric.", ("Metric",), groups, found, _WHAT)


def _table(
    slug: str,
    caption: str,
    heads: Sequence[str],
    groups: Sequence[tuple[tuple[str, ...], Group]],
    found: Measured,
    *notes: str,
) -> Table:
    """A row a group, which its names begin."""
    columns = (
        *(Column(head, numeric=False) for head in heads),
        *(Column(label, decimals) for _, label, decimals in COLUMNS.values()),
        *(Column(head) for head in COUNTS),
    )
    rows = tuple((*names, *_cells(group)) for names, group in groups)
    return Table(slug, caption, columns, rows, (*notes, *_interval_notes(found, groups), *_undefined_notes(groups)))


def _cells(group: Group) -> Iterator[Cell]:
    agreed = group.agreement
    yield from (coefficient(agreed, key) for key in COLUMNS)
    yield from (group.scores, agreed.raters, agreed.units)


def _interval_notes(found: Measured, groups: Sequence[tuple[tuple[str, ...], Group]]) -> Iterator[str]:
    if found.draws:
        yield (
            f"In brackets: 95 % interval for {Target.THESE_RATERS}, {PERCENTILES} of "
            f"{found.draws:,} seeded resamples of the {found.cluster}s. It says how these raters would agree on other "
            f"{found.cluster}s, not how other raters would."
        )
    if any(group.agreement.these_raters for _, group in groups):
        yield ICC_INTERVALS
    yield "n counts the items that a value rests on."


def _undefined_notes(groups: Sequence[tuple[tuple[str, ...], Group]]) -> Iterator[str]:
    """Every reason for an undefined value, with the rows that it explains."""
    rows: dict[str, list[str]] = {}
    for names, group in groups:
        reasons = (group.agreement.estimates[key].undefined for key in COLUMNS)
        for undefined in dict.fromkeys(one.value for one in reasons if one):
            rows.setdefault(undefined, []).append(", ".join(names))
    for reason, explained in rows.items():
        where = "; ".join(explained) if len(explained) <= MOST_NAMED else f"in {len(explained):,} rows"
        yield f"Undefined, because {reason}: {where}."


_WHAT = (
    "α: Krippendorff’s (2011). ICC: McGraw and Wong’s (1996) forms with random raters; (A,1) is the absolute agreement "
    "of one rater, (A,k) that of the mean of an item’s k scores, and (C,1) the consistency of one rater, which leaves "
    "out how severe raters are. Where scores are missing, ICCs come from variance components (REML), and k is the mean "
    "number of scores an item. κ: quadratic weights (Cohen 1968), pooled over all pairs of scores of an item. Exact "
    "and within one: the shares of these pairs that are equal, or differ by one point at most."
)
