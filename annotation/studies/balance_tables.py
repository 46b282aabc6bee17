"""The balance report as tables for a page: what was counted, with what would have been even below it."""

from annotation.studies.balance import BalanceReport, CountTable
from dialogues.tables import Column, Table


def balance_tables(report: BalanceReport) -> list[Table]:
    """Version by place in a block, and version before by version after."""
    places = [f"Place {place}" for place in report.position.columns]
    return [
        _table("balance-position", "Where each version stood in a block", "Version", "", places, report.position),
        _table(
            "balance-carry-over",
            "What followed what within a block",
            "Before",
            "After",
            list(report.carry_over.columns),
            report.carry_over,
        ),
    ]


def _table(slug: str, caption: str, first: str, group: str, heads: list[str], counted: CountTable) -> Table:
    columns = (Column(first, numeric=False), *(Column(head, group=group) for head in heads))
    rows = [(name, *counts) for name, counts in zip(counted.rows, counted.counts, strict=True)]
    note = f"Ideal: the same for every version. Largest deviation from it: {counted.largest_deviation:g}."
    return Table(slug, caption, columns, (*rows, ("Ideal", *counted.ideal)), notes=(note,))
