"""Tables of the agreement between raters who compared dialogues side by side."""

from collections.abc import Iterable, Iterator, Sequence

from annotation.reports.agreement import Agreement
from annotation.reports.agreement_tables import (
    BY_PAIR,
    ONLY_ALPHA,
    by_label,
    by_metric_and_pair,
    cells_of,
    columns_of,
    pairs_left_out,
    undefined_notes,
)
from annotation.reports.notes import INTERVALS, few_clusters_note
from annotation.reports.pair_findings import AGREED, Preferences
from core.tables import Table

_WHAT = (
    "Over losses, ties and wins in this order. α: Krippendorff’s. κ: quadratic weights, pooled over all decisions of "
    "two raters on the same pair of dialogues. Exact: the share of these that are equal."
)
_N = "n counts the pairs of dialogues that two raters or more compared."

# What a row speaks of, and its agreement.
Row = tuple[tuple[str, ...], Agreement]


def preference_agreement_tables(found: Preferences, first_notes: Iterable[str]) -> Iterator[Table]:
    """Over all, within each pair of versions where there are several, and of two raters each where there are three."""
    provenance = tuple(first_notes)
    agreed = found.agreement
    rows: list[Row] = [((metric.name,), agreed.over_all[metric.key]) for metric in found.metrics]
    notes = (*provenance, _WHAT, f"{INTERVALS} backgrounds; {_N}")
    yield _table("agreement", "Agreement between raters by metric.", ("Metric",), rows, notes)
    lines = [line for line in found.lines if line.rate]
    if len(found.pairs) > 1:
        rows = [((line.metric, f"{line.second} over {line.first}"), agreed.by_versions[line.key]) for line in lines]
        caption = "Agreement between raters by metric and pair of versions."
        notes = (*provenance, f"{INTERVALS} backgrounds. {ONLY_ALPHA} {_N}")
        yield _table("agreement-by-version", caption, ("Metric", "Versions"), rows, notes)
    if found.raters > 2 and agreed.by_raters.shown:
        yield _by_raters(found, provenance)


def _by_raters(found: Preferences, provenance: tuple[str, ...]) -> Table:
    pairs = found.agreement.by_raters
    notes = (
        *provenance,
        "Over the pairs of dialogues that both raters compared; the raters who share most come first.",
        *pairs_left_out(pairs),
        f"{INTERVALS} backgrounds. {ONLY_ALPHA} {_N}",
    )
    return _table("agreement-by-pair", BY_PAIR, ("Metric", "Pair"), by_metric_and_pair(found.metrics, pairs), notes)


def _table(slug: str, caption: str, heads: tuple[str, ...], shown: Sequence[Row], notes: Iterable[str]) -> Table:
    return Table(
        slug,
        caption,
        columns_of(*heads, keys=AGREED),
        tuple((*names, *cells_of(agreed, AGREED)) for names, agreed in shown),
        (
            *notes,
            *few_clusters_note(agreed for _, agreed in shown),
            *undefined_notes((_of(names), by_label(agreed, AGREED)) for names, agreed in shown),
        ),
    )


def _of(names: tuple[str, ...]) -> str:
    """ "Natural", or "Natural (γ over β)"."""
    first, *rest = names
    return f"{first} ({rest[0]})" if rest else first
