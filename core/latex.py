"""A `Table` as LaTeX for a paper: booktabs rules, intervals below their values, n once where it can be.

It fits one column or the whole page of a paper of two (`core.latex_layout`), and compiles with pdfLaTeX without setting
a font encoding (`core.latex_text`). Columns align at the decimal point without siunitx, because all numbers of a column
have the same number of decimals. Notes stand below the table, the caption below them.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from string import ascii_lowercase

from core.latex_layout import (
    CAPTION,
    SCRIPT,
    WIDTHS,
    Entry,
    Fit,
    Float,
    Panel,
    Part,
    Placed,
    TextColumn,
    floats,
    head_lines,
    panels,
)
from core.latex_text import breakable, latex_text, needs
from core.tables import Estimate, ShownCell, Table

ENVIRONMENTS: dict[Fit, str] = {"column": "table", "page": "table*"}
FITS: dict[Fit, str] = {"column": "one column, 7.6 cm", "page": "a page of two columns, 15.8 cm"}


def to_latex(table: Table, fit: Fit = "column") -> str:
    """One `table` environment (`table*` for a page), or several where a page cannot hold the table."""
    reasons = _reasons(table)
    columns, width = text_columns(table, reasons), WIDTHS[fit]
    notes = [*table.page_notes, *(f"{mark}: no interval: {reason}." for reason, mark in reasons.items())]
    pages = floats(panels(columns, width), len(table.rows), notes, table.caption, width)
    used = [table.caption, *notes]
    for column in columns:
        used += [column.head, column.group, *(text for entry in column.entries for text in entry)]
    wraps = any(placed.wraps for page in pages for part in page.parts for placed in part.panel.columns)
    return "\n".join(
        [
            rf"% needs \usepackage{{booktabs{',array' if wraps else ''}}}; fits {FITS[fit]}",
            *needs(used),
            *(line for number, page in enumerate(pages) for line in _float_lines(table, page, number, fit)),
            "",
        ]
    )


def document(names: Iterable[str], preamble: Iterable[str] = ()) -> str:
    """A document that shows these files of tables, to compile as it is; names without their extension."""
    return "\n".join(
        [
            r"\documentclass[twocolumn,a4paper]{article}",
            r"\usepackage[T1]{fontenc}",
            r"\usepackage{booktabs,array}",
            *preamble,
            r"\begin{document}",
            *(rf"\input{{{name}}}\clearpage" for name in names),
            r"\end{document}",
            "",
        ]
    )


def _reasons(table: Table) -> dict[str, str]:
    """Why intervals are missing, each with the letter that marks it."""
    cells = (cell for row in table.rows for cell in row if isinstance(cell, Estimate))
    given = dict.fromkeys(cell.no_interval for cell in cells if cell.no_interval)
    return {reason: ascii_lowercase[number % 26] * (1 + number // 26) for number, reason in enumerate(given)}


def text_columns(table: Table, reasons: dict[str, str]) -> list[TextColumn]:
    known = table.known_n
    rows = [
        [_entry(cell, shown, reasons, beside=known.is_beside) for cell, shown in zip(*both, strict=True)]
        for both in zip(table.rows, table.shown_rows, strict=True)
    ]
    by_column = known.by_column or (None,) * len(table.columns)
    columns = [
        TextColumn(
            column.label,
            column.group,
            column.numeric,
            tuple(row[place] for row in rows),
            "" if n is None else f"n = {n:,}",
        )
        for place, (column, n) in enumerate(zip(table.columns, by_column, strict=True))
    ]
    if known.by_row:
        counts = tuple(Entry("" if n is None else f"{n:,}") for n in known.by_row)
        columns.append(TextColumn("n", "", is_numeric=True, entries=counts))
    return columns


def _entry(cell: object, shown: ShownCell, reasons: dict[str, str], *, beside: bool) -> Entry:
    """An estimate's interval goes below it; a remark on who wrote a version stays beside it."""
    if not isinstance(cell, Estimate):
        return Entry(_signed(shown.line) if shown.numeric else shown.line)
    interval = "" if cell.no_interval else shown.detail
    small = ", ".join(filter(None, (interval, shown.n if beside else "")))
    return Entry(_signed(shown.text), _signed(small), reasons.get(cell.no_interval, ""))


def _signed(number: str) -> str:
    return number.replace("-", "−")


def _float_lines(table: Table, page: Float, number: int, fit: Fit) -> Iterator[str]:
    width = WIDTHS[fit]
    yield rf"\begin{{{ENVIRONMENTS[fit]}}}[tp]"
    yield r"\centering\emergencystretch=2em"
    for place, part in enumerate(page.parts):
        if place:
            yield r"\medskip"
        yield from _part_lines(part)
    if page.notes:
        yield r"\smallskip"
        yield rf"\begin{{minipage}}{{\linewidth}}{SCRIPT.command}\raggedright"
        yield from (rf"{breakable(note, SCRIPT.points, width / 2)}\par" for note in page.notes)
        yield r"\end{minipage}"
    caption = breakable(table.caption, CAPTION.points, width / 2)
    if number:
        yield r"\addtocounter{table}{-1}"
        yield rf"\caption{{{caption} (Continued.)}}"
    else:
        yield rf"\caption{{{caption}}}"
        yield rf"\label{{tab:{re.sub('[^A-Za-z0-9-]', '-', table.slug)}}}"
    yield rf"\end{{{ENVIRONMENTS[fit]}}}"


def _part_lines(part: Part) -> Iterator[str]:
    """A tabular: the panel's headings over some of its rows."""
    panel = part.panel
    yield rf"{{{panel.size.command}\setlength{{\tabcolsep}}{{{panel.size.gap:g}pt}}%"
    yield rf"\begin{{tabular}}{{@{{}}{''.join(map(_spec, panel.columns))}@{{}}}}"
    yield r"\toprule"
    yield from _group_lines(panel)
    yield _line(_head(placed, panel) for placed in panel.columns)
    if any(placed.column.small for placed in panel.columns):
        yield _line(_small_head(placed.column.small) for placed in panel.columns)
    yield r"\midrule"
    for row in range(part.start, part.end):
        yield from _row_lines(panel, row, part.start)
    yield r"\bottomrule"
    yield r"\end{tabular}\par}"


def _spec(placed: Placed) -> str:
    if placed.wraps:
        return rf">{{\raggedright\arraybackslash\hspace{{0pt}}}}p{{{placed.width:.1f}pt}}"
    return "r" if placed.column.is_numeric else "l"


def _head(placed: Placed, panel: Panel) -> str:
    return _stacked(head_lines(placed, panel.size), "r" if placed.column.is_numeric else "l")


def _stacked(lines: Sequence[str], side: str) -> str:
    """Lines above each other."""
    if len(lines) == 1:
        return latex_text(lines[0])
    text = r" \\ ".join(_no_option(latex_text(line)) for line in lines)
    return rf"\shortstack[{side}]{{{text}}}"


def _small_head(text: str) -> str:
    """In mathematics a comma is followed by a space, unless it stands in braces."""
    return rf"{{{SCRIPT.command} ${text.replace(',', '{,}')}$}}" if text else ""


def _group_lines(panel: Panel) -> Iterator[str]:
    """The groups' names over their columns, with a rule below each."""
    cells, rules, place = [], [], 1
    for span in panel.spans:
        named = span.lines != [""]
        text = _stacked(span.lines, "c")
        cells.append(rf"\multicolumn{{{span.columns}}}{{c}}{{{text}}}" if named else "&" * (span.columns - 1))
        rules += [rf"\cmidrule(lr){{{place}-{place + span.columns - 1}}}"] if named else []
        place += span.columns
    if cells:
        yield _line(cells)
        yield "".join(rules)


def _row_lines(panel: Panel, row: int, first: int) -> Iterator[str]:
    """The row's values, with intervals below them; the name of the row before is not repeated."""
    entries = [placed.column.entries[row] for placed in panel.columns]
    values = [_value(entry, placed, panel) for entry, placed in zip(entries, panel.columns, strict=True)]
    named = panel.columns[0].column
    if row > first and len(values) > 1 and not named.is_numeric and named.entries[row - 1] == entries[0]:
        values[0] = ""
    small = [rf"{{{SCRIPT.command} {latex_text(entry.small)}}}" if entry.small else "" for entry in entries]
    if not any(small):
        yield _line(values)
    elif any(panel.lines(placed, row) > 1 for placed in panel.columns):
        # A line of their own would stand below the last line of the name.
        yield _line(_topped(value, below) for value, below in zip(values, small, strict=True))
        yield r"\addlinespace[2pt]"
    else:
        yield from (_line(values), _line(small), r"\addlinespace[2pt]")


def _topped(value: str, below: str) -> str:
    return rf"\begin{{tabular}}[t]{{@{{}}r@{{}}}}{_no_option(value)} \\ {below}\end{{tabular}}" if below else value


def _value(entry: Entry, placed: Placed, panel: Panel) -> str:
    text = breakable(entry.text, panel.size.points, placed.width) if placed.wraps else latex_text(entry.text)
    # As wide as nothing, so that marked numbers still align at their points.
    return rf"{text}\rlap{{\textsuperscript{{{entry.mark}}}}}" if entry.mark else text


def _line(cells: Iterable[str]) -> str:
    return _no_option(" & ".join(cells)) + r" \\"


def _no_option(line: str) -> str:
    """A bracket or a star would be read as an option of the `\\\\` that ends the line before."""
    return f"{{}}{line}" if line.startswith(("[", "*")) else line
