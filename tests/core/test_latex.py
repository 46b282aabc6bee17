"""A table as LaTeX: nothing in it is a command, n is said once, and what the compiler lacks is named."""

import shutil
import subprocess
from pathlib import Path

import pytest

from core.latex import latex_text, to_latex
from core.tables import Column, Estimate, Label, Table

MEAN = Column("Mean", group="Words")
NAME = Column("Version", numeric=False)


def estimate(n: int, value: float = -0.5) -> Estimate:
    return Estimate(value, n, value - 1, value + 1)


def table(*rows: tuple[str | Estimate | None, ...], caption: str = "Words & turns") -> Table:
    return Table("words", caption, (NAME, *(MEAN for _ in rows[0][1:])), rows, ("Shares are in % of turns.",))


def test_latex_holds_no_live_special_of_the_data() -> None:
    assert latex_text("50% of $x_1 & {y}\\input#~^") == (
        r"50\% of \$x\_1 \& \{y\}\textbackslash{}input\#\textasciitilde{}\textasciicircum{}"
    )
    assert latex_text("a\x0cb\u2028c") == "a b c"


def test_straight_quotes_ask_for_no_font_encoding() -> None:
    assert latex_text('say "hi"') == "say {''}hi{''}"


@pytest.mark.parametrize("text", ["[1cm]", "*"])
def test_no_row_starts_with_an_option_of_the_line_before(text: str) -> None:
    found = to_latex(Table("t", "Caption", (Column("V", numeric=False),), (("first",), (text,))))
    assert f"first \\\\\n{{}}{text} \\\\\n" in found


def test_one_n_stands_in_the_note_and_intervals_below_their_values() -> None:
    found = to_latex(table(("α", estimate(1800)), ("β", estimate(1800)), ("γ", None)))
    assert r"\caption{Words \& turns n = 1,800 throughout. Shares are in \% of turns.}" in found
    assert "$\\alpha$ & $-$0.50 \\\\\n & {\\scriptsize [$-$1.50, 0.50]} \\\\\n" in found
    assert "$\\gamma$ & --- \\\\\n" in found
    assert found.count("1,800") == 1


def test_n_that_differs_by_column_stands_below_the_heads() -> None:
    found = to_latex(table(("α", estimate(12), estimate(1400)), ("β", estimate(12), estimate(1400))))
    assert "Version & Mean & Mean \\\\\n & {\\scriptsize $n = 12$} & {\\scriptsize $n = 1{,}400$} \\\\\n" in found


def test_n_that_differs_by_row_has_a_column_of_its_own() -> None:
    found = to_latex(table(("α", estimate(12)), ("β", estimate(14)), ("γ", None)))
    assert r"\begin{tabular}{@{}lrr@{}}" in found
    assert r"Version & Mean & n \\" in found
    assert r"$\beta$ & $-$0.50 & 14 \\" in found


def test_n_of_no_pattern_stands_beside_each_interval_so_that_none_is_lost() -> None:
    found = to_latex(table(("α", estimate(12), estimate(13)), ("β", estimate(14), estimate(13))))
    for n in (12, 13, 14):
        assert f"[$-$1.50, 0.50], n = {n}" in found


def test_a_group_has_a_rule_below_it_and_a_remark_stays_beside_its_label() -> None:
    columns = (NAME, Column("Items"), MEAN, MEAN)
    found = to_latex(Table("t", "Caption", columns, ((Label("β", "(demo)"), 7, 1.5, -2.25),)))
    assert "& & \\multicolumn{2}{c}{Words} \\\\\n\\cmidrule(lr){3-4}\n" in found
    assert r"$\beta$ (demo) & 7 & 1.50 & $-$2.25 \\" in found


def test_what_the_usual_compiler_lacks_is_named_at_the_top() -> None:
    found = to_latex(table(("你好 😀 é ö ½", None), caption="«ą»"))
    assert found.splitlines()[:3] == [
        r"% needs \usepackage{booktabs,graphicx}",
        r"% needs \usepackage[T1]{fontenc} for: « (U+00AB), » (U+00BB), ą (U+0105)",
        "% needs LuaLaTeX or XeLaTeX, and a font that has them, for: 你 (U+4F60), 好 (U+597D), 😀 (U+1F600)",
    ]
    assert to_latex(table(("é “a” – ß", None))).splitlines()[1] == r"\begin{table}[t]"


def test_many_missing_characters_are_counted() -> None:
    letters = "".join(map(chr, range(0x4E00, 0x4E00 + 50)))
    assert to_latex(table((letters, None))).splitlines()[1].endswith("(U+4E13) and 30 more")


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no LaTeX on this machine")
def test_a_wide_table_fits_a_column_of_a_page_of_two(tmp_path: Path) -> None:
    wide = table(
        *(("Metric", *(estimate(12 + row) for _ in range(9))) for row in range(3)), caption='"q" é ½ <a|b> ^~\\'
    )
    text = (
        "\\documentclass[twocolumn]{article}\n\\usepackage{booktabs,graphicx}\n\\begin{document}\n%s\\end{document}\n"
    )
    (tmp_path / "a.tex").write_text(text % to_latex(wide), encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "a.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Overfull" not in done.stdout
