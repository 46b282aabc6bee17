"""The paper's Tables 4 and 5 over the dialogues of a study."""

from collections.abc import Iterator, Sequence

from annotation.reports.columns import VersionItems
from annotation.reports.findings import Findings
from annotation.reports.lengths import Lengths
from annotation.reports.notes import measured_note, paper_note, provenance
from annotation.reports.reported import Reported
from core.tables import Cell, Column, Table
from dialogues.published import published_table

RUN_LENGTHS = ("one", "two", "three", "four", "five", "six or more")
# Label, field of Lengths, and row of the published table.
MEASURES = (
    ("Words/message, whitespace tokens", "words_whitespace", "words_per_message"),
    ("Words/message, words only", "words_only", ""),
    ("ACMC", "acmc", "acmc"),
)


def published_versions(number: int, found: Findings) -> list[VersionItems]:
    """The study's versions that the paper's Table `number` has as columns."""
    printed = {column.key for column in published_table(number).columns}
    return [version for version in found.versions if version.slug in printed]


def beside_published(found: Findings, printed: Sequence[VersionItems]) -> Iterator[Column]:
    """A column for each version and, in a group of their own, for each with published values."""
    for version in found.versions:
        yield Column(version.symbol, group="here" if printed else "")
    for version in printed:
        yield Column(version.symbol, group="paper")


def lengths(study: Reported, found: Findings, *, paper: bool = True) -> Table:
    """The paper's Table 4: words per message and average consecutive message count."""
    # No system that people chat with is one of the paper's versions.
    printed = published_versions(4, found) if paper and not study.has_chats else []
    rows: list[tuple[Cell, ...]] = []
    observed = "item" if study.has_chats else "dialogue"
    for label, field, key in MEASURES:
        here = (getattr(found.lengths[version.slug], field) for version in found.versions)
        theirs = (published_table(4).value(key, version.slug) if key else None for version in printed)
        rows.append((label, *here, *theirs))
    notes = (
        *provenance(study, found, ratings=False),
        f"{measured_note(study, found)} In brackets: 95 % interval of a ratio, {observed}s being the observations; n "
        f"counts {observed}s.",
        "Whitespace tokens count a punctuation mark that stands alone, as in PERSONA-CHAT; “words only” leaves out "
        "tokens without a letter or digit.",
        "ACMC: messages over turns, a turn being all that one person sends in a row.",
        *((paper_note(4),) if printed else ()),
    )
    return Table(
        "table-4",
        f"Words a message and average consecutive message count ({_as_in(study)}the paper's Table 4).",
        (Column("Measure", numeric=False), *beside_published(found, printed)),
        tuple(rows),
        notes,
    )


def runs(study: Reported, found: Findings, *, paper: bool = True) -> Table:
    """The paper's Table 5: share of turns by number of messages, with the paper's row below each version's."""
    theirs = {row.key for row in published_table(5).rows}
    with_paper = paper and not study.has_chats and any(version.slug in theirs for version in found.versions)
    rows: list[tuple[Cell, ...]] = []
    hues: list[str] = []
    for version in found.versions:
        measured = found.lengths[version.slug]
        source = ("here",) if with_paper else ()
        rows.append((version.symbol, *source, *run_shares(measured), measured.turns))
        hues.append(version.hue)
        if with_paper and version.slug in theirs:
            printed = (published_table(5).value(version.slug, str(length)) for length in range(1, 6))
            rows.append((version.symbol, "paper", *printed, None, None))
            hues.append(version.hue)
    columns = (
        Column("Version", numeric=False),
        *((Column("Source", numeric=False),) if with_paper else ()),
        *(Column(length, group="Messages in a turn, % of turns") for length in RUN_LENGTHS),
        Column("Turns"),
    )
    notes = (
        *provenance(study, found, ratings=False),
        f"{measured_note(study, found)} Each row of ours adds up to 100.",
        *((paper_note(5),) if with_paper else ()),
    )
    return Table(
        "table-5",
        f"Share of turns by number of consecutive messages ({_as_in(study)}the paper's Table 5).",
        columns,
        tuple(rows),
        notes,
        tuple(hues),
    )


def _as_in(study: Reported) -> str:
    """The paper measured no chats, so of these only the form of its tables is taken."""
    return "as " if study.has_chats else ""


def run_shares(measured: Lengths) -> Iterator[float | None]:
    """The cells under RUN_LENGTHS, in percent."""
    for count in measured.runs:
        yield 100 * count / measured.turns if measured.turns else None
