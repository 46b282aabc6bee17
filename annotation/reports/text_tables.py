"""The paper's Figure 3 as a table, for the dialogues of a study."""

from dataclasses import replace

from core.tables import Table
from dialogues.statistics.figures import CorpusFigures
from dialogues.statistics_tables import lexical


def text_tables(texts: CorpusFigures | None) -> list[Table]:
    """Distinct-N by version; none without texts."""
    if texts is None:
        return []
    return [replace(lexical(texts), caption="Lexical diversity, Distinct-N (the paper’s Figure 3).")]
