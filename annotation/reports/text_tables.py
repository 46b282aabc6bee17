"""The paper's Tables 4 and 5 and Figure 3, as a corpus's page has them, for the dialogues of a study."""

from collections.abc import Iterable
from dataclasses import replace

from core.tables import Label, Table
from dialogues.statistics.figures import CorpusFigures
from dialogues.statistics.words_and_turns import Tokenizer
from dialogues.statistics_tables import consecutive, lengths, lexical

# As in the paper's Table 4.
TOKENIZER: Tokenizer = "whitespace"


def diversity_tables(texts: CorpusFigures | None, about: Iterable[str]) -> list[Table]:
    """Distinct-N by version, with notes `about` the texts first; none without texts."""
    return [_as_in_paper(lexical(texts), "distinct", "Figure 3", about)] if texts else []


def text_tables(texts: CorpusFigures | None, about: Iterable[str]) -> list[Table]:
    """The same with lengths and messages in a row, for studies that have no such tables of their own."""
    if texts is None:
        return []
    notes = tuple(about)
    return [
        _as_in_paper(lengths(texts), "table-4", "Table 4", notes),
        _as_in_paper(consecutive(texts), "table-5", "Table 5", notes),
        *diversity_tables(texts, notes),
    ]


def _as_in_paper(table: Table, slug: str, name: str, about: Iterable[str]) -> Table:
    """Notes say once what a corpus's table remarks at each version that the demo wrote."""
    rows = tuple(tuple(cell.text if isinstance(cell, Label) else cell for cell in row) for row in table.rows)
    caption = f"{table.caption} (the paper’s {name})."
    return replace(table, slug=slug, caption=caption, rows=rows, notes=(*about, *table.notes))
