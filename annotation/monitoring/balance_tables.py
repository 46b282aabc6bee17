"""The balance report as tables for a page: what was counted, with what would have been even below it."""

from collections.abc import Mapping

from annotation.monitoring.balance import BalanceReport, CountTable
from core.tables import Column, Table


def balance_tables(report: BalanceReport, symbols: Mapping[str, str]) -> list[Table]:
    """Version by place in a block, and version before by version after; `symbols` are the versions' by their slugs."""
    names = [symbols.get(slug, slug) for slug in report.versions]
    places = [f"Place {place}" for place in report.position.columns]
    return [
        _table(
            "balance-position", "Where each version stood in a block", "Version", "", places, names, report.position
        ),
        _table(
            "balance-carry-over",
            "What followed what within a block",
            "Before",
            "After",
            names,
            names,
            report.carry_over,
        ),
    ]


def _table(
    slug: str, caption: str, first: str, group: str, heads: list[str], names: list[str], counted: CountTable
) -> Table:
    columns = (Column(first, numeric=False), *(Column(head, group=group) for head in heads))
    rows = [(name, *counts) for name, counts in zip(names, counted.counts, strict=True)]
    note = f"Ideal: the same for every version. Largest deviation from it: {counted.largest_deviation:g}."
    return Table(slug, caption, columns, (*rows, ("Ideal", *counted.ideal)), notes=(note,))
