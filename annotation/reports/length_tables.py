"""The paper's Tables 4 and 5 over the dialogues of a study."""

from collections.abc import Iterator

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


def lengths(study: Reported, found: Findings) -> Table:
    """The paper's Table 4: words per message and average consecutive message count."""
    # No system that people chat with is one of the paper's versions.
    sources = ("here",) if study.has_chats else ("here", "paper")
    columns = [Column("Measure", numeric=False)]
    for version in found.versions:
        columns += [Column(source, group=version.symbol) for source in sources]
    rows = []
    observed = "item" if study.has_chats else "dialogue"
    for label, field, printed in MEASURES:
        row: list[Cell] = [label]
        for version in found.versions:
            row.append(getattr(found.lengths[version.slug], field))
            if "paper" in sources:
                row.append(published_table(4).value(printed, version.slug) if printed else None)
        rows.append(tuple(row))
    notes = (
        *provenance(study, found, ratings=False),
        f"{measured_note(study, found)} In brackets: 95 % interval of a ratio, {observed}s being the observations; n "
        f"counts {observed}s.",
        "Whitespace tokens count a punctuation mark that stands alone, as in PERSONA-CHAT; “words only” leaves out "
        "tokens without a letter or digit.",
        "ACMC: messages over turns, a turn being all that one person sends in a row.",
        *(() if study.has_chats else (paper_note(4),)),
    )
    return Table(
        "table-4",
        f"Words a message and average consecutive message count ({_as_in(study)}the paper's Table 4).",
        tuple(columns),
        tuple(rows),
        notes,
    )


def runs(study: Reported, found: Findings) -> Table:
    """The paper's Table 5: share of turns by number of messages, with the paper's row below each version's."""
    rows: list[tuple[Cell, ...]] = []
    hues: list[str] = []
    for version in found.versions:
        rows.append(
            (version.symbol, "here", *run_shares(found.lengths[version.slug]), found.lengths[version.slug].turns)
        )
        hues.append(version.hue)
        printed = [published_table(5).value(version.slug, str(length)) for length in range(1, 6)]
        if any(share is not None for share in printed):
            rows.append((version.symbol, "paper", *printed, None, None))
            hues.append(version.hue)
    columns = (
        Column("Version", numeric=False),
        Column("Source", numeric=False),
        *(Column(length, group="Messages in a turn, % of turns") for length in RUN_LENGTHS),
        Column("Turns"),
    )
    notes = (
        *provenance(study, found, ratings=False),
        f"{measured_note(study, found)} Each row of ours adds up to 100.",
        *(() if study.has_chats else (paper_note(5),)),
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
