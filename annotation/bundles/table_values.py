"""A report's tables as JSON, with every value and as a page shows it; and in which cells two tables differ. Pure."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from itertools import zip_longest
from typing import Any, NamedTuple

from core.tables import Cell, Column, Estimate, Label, PValue, Table, shown

# Values this close are the same: other releases of NumPy and SciPy, and other processors, round differently.
RELATIVE, ABSOLUTE = 1e-6, 1e-9
ROW, HEADINGS, TABLE = "whole row", "headings", "whole table"
THERE, NOTHING_THERE = "there", "nothing"


class CellDifference(NamedTuple):
    """Where two tables differ, and what stands in each; `row` and `column` as the table names them."""

    table: str
    row: str
    column: str
    stored: str
    recomputed: str

    @property
    def sentence(self) -> str:
        place = " · ".join(filter(None, (self.table, self.row, self.column)))
        if self.column in (ROW, TABLE):
            return f"{place}: not {'stored' if self.stored == NOTHING_THERE else 'recomputed'}"
        return f"{place}: stored {self.stored}, recomputed {self.recomputed}"


def table_json(table: Table) -> dict[str, Any]:
    """The table as plain data: `rows` has values in full, `shown` the same cells as text."""
    return {
        "slug": table.slug,
        "caption": table.caption,
        "columns": [asdict(column) for column in table.columns],
        "rows": [[_cell_json(cell) for cell in row] for row in table.rows],
        "shown": shown_lines(table),
        "notes": list(table.notes),
    }


def shown_lines(table: Table) -> list[list[str]]:
    """Every cell as one line of text, as a page shows it."""
    return [[cell.line for cell in row] for row in table.shown_rows]


def table_from(document: Mapping[str, Any]) -> Table:
    """The table of `table_json`; raises KeyError, TypeError or ValueError for anything else."""
    return Table(
        slug=document["slug"],
        caption=document["caption"],
        columns=tuple(Column(**column) for column in document["columns"]),
        rows=tuple(tuple(_cell_from(cell) for cell in row) for row in document["rows"]),
        notes=tuple(document["notes"]),
    )


def _cell_json(cell: Cell) -> Any:
    if isinstance(cell, Estimate):
        ends = {name: _number_json(getattr(cell, name)) for name in ("value", "low", "high")}
        return {**ends, "n": cell.n, "no_interval": cell.no_interval}
    if isinstance(cell, Label):
        return cell._asdict()
    if isinstance(cell, PValue):
        return {"p": float(cell)}
    return _number_json(cell)


def _number_json(value: Any) -> Any:
    """JSON knows neither infinity nor what is not a number."""
    return {"number": str(value)} if isinstance(value, float) and not math.isfinite(value) else value


def _cell_from(stored: Any) -> Cell:
    if isinstance(stored, Mapping):
        if "p" in stored:
            return PValue(stored["p"])
        if "remark" in stored:
            return Label(**stored)
        if "value" in stored:
            ends = {name: _number_from(stored[name]) for name in ("value", "low", "high")}
            return Estimate(**ends, n=stored["n"], no_interval=stored["no_interval"])
    found: Cell = _number_from(stored)
    return found


def _number_from(stored: Any) -> Any:
    return float(stored["number"]) if isinstance(stored, Mapping) else stored


def table_differences(stored: Table | None, again: Table | None) -> Iterator[CellDifference]:
    """Each cell whose values differ by more than rounding; a missing table or row counts as one."""
    if stored is None or again is None:
        known = stored or again
        if known is not None:
            yield CellDifference(known.slug, "", TABLE, _there(stored), _there(again))
        return
    if stored.columns != again.columns:
        heads = [", ".join(map(_heading, table.columns)) for table in (stored, again)]
        yield CellDifference(stored.slug, "", HEADINGS, *heads)
        return
    for first, second in zip_longest(stored.rows, again.rows):
        yield from _row_differences(stored, first, second)


def _row_differences(
    table: Table, stored: tuple[Cell, ...] | None, again: tuple[Cell, ...] | None
) -> Iterator[CellDifference]:
    name = _row_name(table, stored or again or ())
    if stored is None or again is None:
        yield CellDifference(table.slug, name, ROW, _there(stored), _there(again))
        return
    for column, first, second in zip(table.columns, stored, again, strict=True):
        if not is_same(first, second):
            yield CellDifference(table.slug, name, _heading(column), said(first), said(second))


def _there(found: object) -> str:
    return NOTHING_THERE if found is None else THERE


def _row_name(table: Table, row: tuple[Cell, ...]) -> str:
    """The texts that the row begins with, such as metric and versions."""
    named = zip(table.columns, row, strict=True)
    return ", ".join(said(cell) for column, cell in named if not column.numeric and cell is not None)


def _heading(column: Column) -> str:
    return f"{column.group} {column.label}".strip()


def is_same(first: Cell, second: Cell) -> bool:
    """Whether two cells hold the same value, but for rounding."""
    if isinstance(first, Estimate) and isinstance(second, Estimate):
        return all(map(_is_same_value, first, second))
    return type(first) is type(second) and _is_same_value(first, second)


def _is_same_value(first: object, second: object) -> bool:
    if isinstance(first, float) and isinstance(second, float):
        both_undefined = math.isnan(first) and math.isnan(second)
        return both_undefined or math.isclose(first, second, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
    return first == second


def said(cell: Cell) -> str:
    """The cell as text with more digits than a page has, so that small differences can be seen."""
    return shown(cell, Column("", decimals=6)).line
