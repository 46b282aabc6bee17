"""A table as LaTeX: nothing in it is a command, n is said once, it fits its width, and any name compiles."""

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.latex import document, text_columns, to_latex
from core.latex_layout import HEIGHT, WIDTHS, Fit, TextColumn, floats, panels
from core.latex_text import IN_T1, PRINTED, breakable, latex_text, width_of, wrapped
from core.tables import Column, Estimate, Label, Table
from tests.examples import many
from tests.latex import compiled, flaws, needs_latex

MEAN = Column("Mean", group="Words")
NAME = Column("Version", numeric=False)
UGLY = 'a<b>&"_%#\\^~$ {x} `y` 你好 😀 النص é ½ Å łódź «q» e\u0301 --- ?` Rindfleischetikettierungsüberwachungsaufgabe'
# A run of what pdfLaTeX cannot print: the characters, and their code points.
RUN = re.compile(r"\\codepoints\{([^{}]*)\}\{(?:U\+[0-9A-F]+ ?)+\}")


def estimate(n: int, value: float = -0.5) -> Estimate:
    return Estimate(value, n, value - 1, value + 1)


def table(*rows: tuple[str | Estimate | None, ...], caption: str = "Words & turns") -> Table:
    return Table("words", caption, (NAME, *(MEAN for _ in rows[0][1:])), rows, ("Shares are in % of turns.",))


def wide(columns: int = 9, rows: int = 3, name: str = "Metric", heading: str = "Mean score") -> Table:
    """Values with intervals that no column of a paper holds side by side."""
    heads = (Column(name, numeric=False), *(Column(f"{heading} {place}", group="here") for place in range(columns)))
    cells = tuple((f"{name} {row}", *(estimate(12 + row) for _ in range(columns))) for row in range(rows))
    return Table("wide", f"All of {name}.", heads, cells, (f"A note on {name}.",))


def test_latex_holds_no_live_special_of_the_data() -> None:
    assert latex_text("50% of $x_1 & {y}\\input#~^`") == (
        r"50\% of \$x\_1 \& \{y\}\textbackslash{}input\#\textasciitilde{}\textasciicircum{}\textasciigrave{}"
    )
    assert latex_text("a\x0cb\u2028c") == "a b c"


def test_straight_quotes_ask_for_no_font_encoding() -> None:
    assert latex_text('say "hi"') == "say {''}hi{''}"


def test_what_pdflatex_cannot_print_is_shown_by_its_code_points() -> None:
    assert latex_text("自然 x") == r"\codepoints{自然}{U+81EA U+7136} x"
    # A letter and its accent are one character before anything else is asked.
    assert latex_text("e\u0301") == "é"


@settings(max_examples=many(250))
@given(st.text())
def test_any_text_is_letters_that_pdflatex_prints_and_balanced_braces(text: str) -> None:
    found = latex_text(text)
    plain = RUN.sub("", found)
    assert all(one.isascii() or PRINTED.match(one) or ord(one) < 0x180 or one in IN_T1 for one in plain)
    opened, closed = (len(re.findall(rf"(?<!\\){one}", plain)) for one in (r"\{", r"\}"))
    assert opened == closed
    assert not re.search(r"(?<!\\)[%#&]", plain)


@settings(max_examples=many(250))
@given(st.text(min_size=1), st.floats(30, 200))
def test_lines_are_as_narrow_as_asked_and_lose_no_letter(text: str, width: float) -> None:
    lines = wrapped(text, 8, width)
    assert all(len(line) == 1 or width_of(line, 8) <= width + 1e-5 for line in lines)
    letters = "".join("".join(lines).split())
    assert letters == "".join("".join(wrapped(text, 8, 1e9)).split())


def test_a_word_wider_than_its_line_may_break() -> None:
    assert r"\hspace{0pt}" in breakable("x" * 100, 8, 50)
    assert breakable("short words only", 8, 50) == "short words only"


def test_a_heading_as_wide_as_its_longest_word_is_not_broken_within_it() -> None:
    for word in ("Stephanie", "Standard deviation", "Backgrounds", "Weighted κ"):
        longest = max(word.split(), key=len)
        assert wrapped(word, 8.5, width_of(longest, 8.5)) == word.split()


def test_words_of_three_columns_stay_whole_in_a_papers_column() -> None:
    """Short words leave room to long ones."""
    columns = (*(Column(name, numeric=False) for name in ("Metric", "Versions", "Status")), Column("Mean"))
    rows = tuple((name, "Stephanie over β", "confirmatory", estimate(9)) for name in ("Natural", "Informative"))
    made = to_latex(Table("words", "Words.", columns, rows), "column")
    for word in ("Informative", "Stephanie", "confirmatory"):
        assert word in made, word


def test_a_groups_name_is_not_broken_within_a_word_over_narrow_columns() -> None:
    columns = (
        NAME,
        Column("ω", group="Alternative annotator test"),
        Column("%", 0, group="Alternative annotator test"),
    )
    found = to_latex(Table("t", "Caption", columns, (("α", 0.5, 1.0),)))
    assert r"\shortstack[c]{Alternative \\ annotator \\ test}" in found


@pytest.mark.parametrize("text", ["[1cm]", "*"])
def test_no_row_starts_with_an_option_of_the_line_before(text: str) -> None:
    found = to_latex(Table("t", "Caption", (Column("V", numeric=False),), (("first",), (text,))))
    assert f"first \\\\\n{{}}{text} \\\\\n" in found


def test_one_n_stands_in_the_notes_and_intervals_below_their_values() -> None:
    found = to_latex(table(("α", estimate(1800)), ("β", estimate(1800)), ("γ", None)))
    assert "n = 1,800 throughout.\\par\nShares are in \\% of turns.\\par\n" in found
    assert r"\caption{Words \& turns}" in found
    assert "$\\alpha$ & $-$0.50 \\\\\n & {\\fontsize{7}{8}\\selectfont [$-$1.50, 0.50]} \\\\\n" in found
    assert "$\\gamma$ & --- \\\\\n" in found
    assert found.count("1,800") == 1


def test_n_that_differs_by_column_stands_below_the_heads() -> None:
    found = to_latex(table(("α", estimate(12), estimate(1400)), ("β", estimate(12), estimate(1400))))
    assert "Version & Mean & Mean \\\\\n" in found
    assert "$n = 12$" in found
    assert "$n = 1{,}400$" in found


def test_n_that_differs_by_row_has_a_column_of_its_own() -> None:
    found = to_latex(table(("α", estimate(12)), ("β", estimate(14)), ("γ", None)))
    assert r"\begin{tabular}{@{}lrr@{}}" in found
    assert r"Version & Mean & n \\" in found
    assert r"$\beta$ & $-$0.50 & 14 \\" in found


def test_n_of_no_pattern_stands_beside_each_interval_so_that_none_is_lost() -> None:
    found = to_latex(table(("α", estimate(12), estimate(13)), ("β", estimate(14), estimate(13))), "page")
    for n in (12, 13, 14):
        assert f"[$-$1.50, 0.50], n = {n}" in found


def test_a_missing_interval_is_explained_below_the_table() -> None:
    rows = (("α", Estimate(2.5, 9, no_interval="no spread")), ("β", estimate(9)))
    found = to_latex(table(*rows))
    assert r"2.50\rlap{\textsuperscript{a}}" in found
    assert "a: no interval: no spread." in found


def test_a_group_has_a_rule_below_it_and_a_remark_stays_beside_its_label() -> None:
    columns = (NAME, Column("Items"), MEAN, MEAN)
    found = to_latex(Table("t", "Caption", columns, ((Label("β", "(demo)"), 7, 1.5, -2.25),)))
    assert "& & \\multicolumn{2}{c}{Words} \\\\\n\\cmidrule(lr){3-4}\n" in found
    assert r"$\beta$ (demo) & 7 & 1.50 & $-$2.25 \\" in found


def test_a_name_is_printed_once_for_the_rows_that_share_it() -> None:
    found = to_latex(Table("t", "C", (NAME, NAME), (("Natural", "α"), ("Natural", "β"), ("Engaging", "α"))))
    assert found.count("Natural") == 1
    assert found.count("Engaging") == 1


def test_what_the_usual_compiler_lacks_is_named_at_the_top() -> None:
    found = to_latex(table(("你好 😀 é ö ½", None), caption="«ą»"))
    assert found.splitlines()[:3] == [
        r"% needs \usepackage{booktabs}; fits one column, 7.6 cm",
        r"% needs \usepackage[T1]{fontenc} for: « (U+00AB), » (U+00BB), ą (U+0105)",
        "% as code points, unless LuaLaTeX or XeLaTeX has a font with: 你 (U+4F60), 好 (U+597D), 😀 (U+1F600)",
    ]
    assert to_latex(table(("é “a” – ß", None))).splitlines()[1] == r"\begin{table}[tp]"


def test_many_missing_characters_are_counted() -> None:
    letters = "".join(map(chr, range(0x4E00, 0x4E00 + 50)))
    assert to_latex(table((letters, None))).splitlines()[1].endswith("(U+4E13) and 30 more")


def columns_of(count: int) -> list[TextColumn]:
    return text_columns(wide(count), {})


@pytest.mark.parametrize("fit", get_args(Fit))
def test_no_panel_is_wider_than_its_page_and_no_column_is_lost(fit: Fit) -> None:
    columns = columns_of(12)
    found = panels(columns, WIDTHS[fit])
    for panel in found:
        assert panel.columns[0].column is columns[0]
        gaps = 2 * panel.size.gap * (len(panel.columns) - 1)
        assert sum(placed.width for placed in panel.columns) + gaps <= WIDTHS[fit]
    assert [placed.column.head for panel in found for placed in panel.columns[1:]] == [one.head for one in columns[1:]]
    assert len(found) == (4 if fit == "column" else 2)


def test_a_page_takes_more_side_by_side_than_a_column() -> None:
    assert to_latex(wide(4), "page").count(r"\begin{tabular}") < to_latex(wide(9)).count(r"\begin{tabular}")
    assert r"\begin{table*}" in to_latex(wide(4), "page")
    assert r"\resizebox" not in to_latex(wide())


def test_a_table_higher_than_a_page_goes_on_in_a_further_float() -> None:
    found = to_latex(wide(3, rows=80))
    assert found.count(r"\begin{table}") == found.count(r"\end{table}") > 1
    assert found.count(r"\label") == 1
    assert found.count("(Continued.)") == found.count(r"\begin{table}") - 1
    for row in range(80):
        assert found.count(f"Metric {row} &") == 1


def test_every_row_of_every_panel_stands_in_one_float() -> None:
    shown = panels(columns_of(9), WIDTHS["column"])
    pages = floats(shown, 3, ["A note."] * 200, "Caption", WIDTHS["column"])
    assert [(part.start, part.end) for page in pages for part in page.parts] == [(0, 3)] * len(shown)
    assert sum(len(page.notes) for page in pages) == 200
    assert all(8 * len(page.notes) < HEIGHT for page in pages)


@needs_latex
def test_tables_of_any_shape_and_name_compile_and_stay_within_their_width(tmp_path: Path) -> None:
    shapes = [
        wide(), wide(2), wide(14, rows=40, name="A rather long name of a metric"), wide(3, name=UGLY, heading=UGLY),
        Table("t", UGLY, (Column(UGLY, numeric=False), Column("Judge", numeric=False), Column("r")),
              ((UGLY, UGLY, 1.5), (UGLY, "[1] * x", None)), (UGLY,)),
        Table("n", "Nothing.", (NAME, MEAN), ()),
    ]  # fmt: skip
    texts = [to_latex(shape, fit) for shape in shapes for fit in get_args(Fit)]
    assert flaws(compiled(tmp_path, texts)) == []


@needs_latex
@settings(max_examples=many(15), deadline=None)
@given(st.lists(st.text(min_size=1, max_size=40), min_size=1, max_size=8))
def test_any_name_compiles(names: list[str]) -> None:
    named = Table("t", names[0], (Column(names[-1], numeric=False), Column("r")), tuple((name, 1.5) for name in names))
    with TemporaryDirectory() as folder:
        assert flaws(compiled(Path(folder), [to_latex(named)])) == []


def test_a_document_shows_every_file_that_it_is_given() -> None:
    found = document(["tables/a", "tables/b"])
    assert found.count(r"\input{tables/") == 2
    assert "booktabs" in found
