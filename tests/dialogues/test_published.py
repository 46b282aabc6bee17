"""The paper's tables ship as data, figure for figure."""

import pytest

from core.latex import to_latex
from core.tables import to_csv
from dialogues.published import published_table, published_tables, source, value
from dialogues.rubric import PAPER_SIX
from dialogues.statistics.words_and_turns import acmc_from_shares


@pytest.mark.parametrize(
    ("number", "row", "column", "system", "printed"),
    [
        (1, "interesting", "alpha", "GPT-4", 82.00),
        (1, "on_persona", "stephanie", "GPT-4", 96.0),
        (1, "natural", "gamma", "Llama3-70b", 95.00),
        (1, "engaging", "beta", "Llama3-70b", 78.74),
        (1, "on_topic", "alpha", "Llama3-70b", None),
        (2, "natural", "stephanie", None, 87.41),
        (2, "natural", "gamma", None, None),
        (3, "engaging", "stephanie", None, 4.06),
        (3, "informative", "alpha", None, 3.71),
        (4, "words_per_message", "alpha", None, 11.77),
        (4, "acmc", "gamma", None, 1.99),
        (5, "stephanie", "3", None, 34.33),
        (5, "gamma", "5", None, 0.1),
        (6, "natural", "stephanie-llama3-8b", None, 4.13),
        (6, "boring", "llama3-8b", None, None),
    ],
)
def test_a_cell_is_as_printed(number: int, row: str, column: str, system: str | None, printed: float | None) -> None:
    assert published_table(number).value(row, column, system) == printed


def test_the_first_system_answers_when_none_is_named() -> None:
    assert published_table(1).systems == ("GPT-4", "Llama3-70b")
    assert published_table(1).value("interesting", "alpha") == 82.00


def test_a_figure_is_found_by_label_and_whichever_heading_comes_first() -> None:
    assert value(4, "words/message", "alpha") == value(4, "words_per_message", "α") == 11.77
    assert value(5, "three", "stephanie") == value(5, "stephanie", "3") == 34.33
    assert value(1, "Natural", "γ", "Llama3-70b") == 95.00
    assert value(3, "On-topic", "alpha") is None


def test_the_shape_of_all_six_tables() -> None:
    shapes = {number: (len(table.rows), len(table.columns)) for number, table in published_tables().items()}
    assert shapes == {1: (6, 8), 2: (6, 3), 3: (6, 4), 4: (2, 4), 5: (4, 5), 6: (4, 2)}
    cells = [value for table in published_tables().values() for row in table.rows for value in row.values]
    assert len(cells) == 126
    # α has no On-topic and On-persona in Tables 1 (twice), 2 and 3.
    assert cells.count(None) == 8
    assert sum(value for value in cells if value is not None) == pytest.approx(5719.57)


def test_metric_keys_are_those_of_the_rubric() -> None:
    for number in (1, 2, 3):
        assert [row.key for row in published_table(number).rows] == [metric.key for metric in PAPER_SIX]


def test_tables_4_and_5_contradict_each_other_only_as_the_notes_say() -> None:
    table_5 = published_table(5)
    found = {}
    for row in table_5.rows:
        shares = {int(c.key): v or 0.0 for c, v in zip(table_5.columns, row.values, strict=True)}
        found[row.key] = round(acmc_from_shares(shares) or 0, 2)
    assert found == {"alpha": 1.07, "beta": 1.09, "gamma": 2.00, "stephanie": 2.51}
    assert "1.07, 1.09, 2.00 and 2.51" in " ".join(published_table(4).notes)
    sums = {row.key: round(sum(value or 0 for value in row.values), 2) for row in table_5.rows}
    assert sums == {"alpha": 100, "beta": 100, "gamma": 99.89, "stephanie": 98.57}


def test_every_published_table_leaves_as_csv_and_latex() -> None:
    assert "2407.04093" in source()
    for table in published_tables().values():
        shown = table.as_table()
        assert len(to_csv(shown).splitlines()) == len(table.rows) + 1
        assert r"\toprule" in to_latex(shown)
    assert "GPT-4 α" in to_csv(published_table(1).as_table())
