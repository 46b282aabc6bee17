"""Tables as Markdown, read back by a parser of Markdown."""

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from core.markdown import to_markdown
from core.tables import Column, Estimate, Table

PARSER = MarkdownIt("commonmark").enable("table")


class Cells(HTMLParser):
    """The texts of a page's table cells, and of its list."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.notes: list[str] = []
        self.tags: set[str] = set()
        self._into: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self._into = self.rows[-1]
        if tag == "li":
            self.notes.append("")
            self._into = self.notes

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "li"):
            self._into = None

    def handle_data(self, data: str) -> None:
        if self._into is not None:
            self._into[-1] += data


def read(table: Table) -> Cells:
    found = Cells()
    found.feed(PARSER.render(to_markdown(table)))
    return found


def test_values_stand_beside_their_intervals_under_their_groups() -> None:
    columns = (Column("Metric", numeric=False), Column("here", group="β"), Column("paper", group="β"))
    table = Table("t", "Means.", columns, (("Natural", Estimate(3.2, 40, 3.0, 3.4), None),), ("n counts scores.",))
    found = read(table)
    assert found.rows == [["Metric", "β here", "β paper"], ["Natural", "3.20 [3.00, 3.40], n = 40", "—"]]
    assert found.notes == ["n counts scores."]


TEXTS = st.text(st.characters(blacklist_categories=("Cs", "Cc")) | st.sampled_from("|*_`<>&[]()#\\!~$\n"), max_size=30)


NOTES = st.builds("".join, st.tuples(st.sampled_from(["", "- ", "1. ", "12) ", "+ ", "=", "    ", "> ", "# "]), TEXTS))


@given(TEXTS, TEXTS, NOTES)
def test_no_text_becomes_markup_or_leaves_its_cell(head: str, text: str, note: str) -> None:
    table = Table("t", "Caption.", (Column("First", numeric=False), Column(head)), (("x", text),), (note,))
    found = read(table)
    assert [[_plain(cell) for cell in row] for row in found.rows] == [["First", _plain(head)], ["x", _plain(text)]]
    assert [_plain(text) for text in found.notes] == [_plain(note)]
    assert found.tags <= {"p", "strong", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "br"}


def _plain(text: str) -> str:
    """White space is not what a table is about."""
    return " ".join(text.split())
