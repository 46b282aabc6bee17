"""Corpus figures as the paper's Tables 4 and 5 and Figure 3, the published values beside them."""

from collections.abc import Callable

from core.numbers import count_in_words
from core.tables import Cell, Column, Label, Table
from dialogues import published
from dialogues.display import DEMO_LABEL
from dialogues.statistics.distinct import SIZES
from dialogues.statistics.figures import CorpusFigures, VersionFigures
from dialogues.statistics.words_and_turns import RUN_LABELS, TOKENIZERS

RUN_NAMES = ("one", "two", "three", "four", "five", "six or more")

DEMO_REMARK = f"({DEMO_LABEL})"
INTERVAL_NOTE = (
    "In brackets: 95 % interval with the dialogue as the observation (ratio of sums, linearised; Student's t); "
    "n counts dialogues."
)
ACMC_NOTE = (
    "ACMC is messages over turns, a turn being all that one person sends before the other answers. The formula printed "
    "in the paper divides by messages, which always gives 1; its Table 5 shows that turns are meant."
)
ALPHA_NOTE = (
    "The paper reports 7.35 % double messages for α. The published PERSONA-CHAT data alternates strictly, so an α "
    "imported from it has an ACMC of exactly 1."
)
TABLE_5_NOTE = (
    "Shares are of turns. The paper calls them shares of dialogues, but only as shares of turns do they give its ACMC. "
    "Its rows for γ and Stephanie add up to 99.89 and 98.57; here “six or more” completes every row."
)
DISTINCT_NOTE = (
    "Unique over all n-grams; no n-gram crosses a message boundary. Pooled takes the whole version together and falls "
    "as a corpus grows. Mean is the mean of the dialogues' own Distinct-N, without those too short for one n-gram; "
    "in brackets its 95 % interval (Student's t)."
)
FIGURE_3_NOTE = "The paper draws its Distinct-N (Figure 3) but prints no numbers, so none are shown beside these."


LATEST_COUNTS = "One of each counts: the latest run's, and of several writers side by side the first one's"


def statistics_tables(figures: CorpusFigures) -> dict[str, Table]:
    """The three tables of a corpus, by slug."""
    return {table.slug: table for table in (lengths(figures), consecutive(figures), lexical(figures))}


def basis(figures: CorpusFigures) -> tuple[str, ...]:
    """The notes under every table: what was counted, and how."""
    notes = [f"Tokenizer: {TOKENIZERS[figures.tokenizer]}."]
    if figures.shared_only:
        notes.append("Only backgrounds that every version has.")
    return (*notes, *choice(figures))


def choice(figures: CorpusFigures) -> tuple[str, ...]:
    """Whose dialogues were counted, and how those written more than once were treated."""
    notes = []
    if figures.source:
        notes.append(f"Only dialogues of {figures.source}, and the originals.")
    if figures.again:
        which = "; ".join(
            f"{symbol} for {count_in_words(count, 'background')}" for symbol, count in figures.again.items()
        )
        counts = "Each of these dialogues counts" if figures.every else LATEST_COUNTS
        notes.append(f"Written more than once for the same background: {which}. {counts}.")
    if figures.sparse and figures.shared_only:
        notes.append(f"Left out, because few backgrounds have it: {few(figures)}.")
    return tuple(notes)


def few(figures: CorpusFigures) -> str:
    return "; ".join(f"{symbol}, {says}" for symbol, says in figures.sparse.items())


def label(version: VersionFigures) -> Label:
    """The version's symbol, with a warning if rules, not a language model, wrote it."""
    return Label(version.symbol, DEMO_REMARK if version.by_demo else "")


def lengths(figures: CorpusFigures) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (
            label(version),
            version.dialogues,
            version.messages,
            version.turns,
            version.words,
            version.words_per_message,
            published.value(4, "words_per_message", version.slug),
            version.acmc,
            published.value(4, "acmc", version.slug),
        )
        for version in figures.versions
    ]
    counts = (Column(name) for name in ("Dialogues", "Messages", "Turns", "Words"))
    pairs = (Column(side, group=group) for group in ("Words/message", "ACMC") for side in ("here", "paper"))
    return Table(
        slug="lengths",
        caption="Words a message and average consecutive message count",
        columns=(Column("Version", numeric=False), *counts, *pairs),
        rows=tuple(rows),
        notes=(*basis(figures), INTERVAL_NOTE, ACMC_NOTE, ALPHA_NOTE, "“paper” is its Table 4: GPT-4, 100 dialogues."),
        row_versions=hues(figures),
    )


def consecutive(figures: CorpusFigures) -> Table:
    rows: list[tuple[Cell, ...]] = []
    row_hues: list[str] = []
    for version in figures.versions:
        rows.append((label(version), "here", *(100 * version.consecutive[run] for run in RUN_LABELS), version.turns))
        row_hues.append(version.hue)
        printed = [published.value(5, version.slug, run) for run in RUN_LABELS]
        if any(share is not None for share in printed):
            rows.append((version.symbol, "paper", *printed, None))
            row_hues.append(version.hue)
    runs = (Column(name, group="Messages in a turn, % of turns") for name in RUN_NAMES)
    return Table(
        slug="consecutive",
        caption="Turns by number of consecutive messages",
        columns=(Column("Version", numeric=False), Column("Source", numeric=False), *runs, Column("Turns")),
        rows=tuple(rows),
        notes=(*basis(figures)[1:], TABLE_5_NOTE, "“paper” is its Table 5."),
        row_versions=tuple(row_hues),
    )


def lexical(figures: CorpusFigures) -> Table:
    scopes: tuple[tuple[str, Callable[[VersionFigures, int], Cell]], ...] = (
        ("pooled", lambda version, size: version.distinct[size].pooled),
        ("matched", lambda version, size: version.matched[size]),
        ("mean", lambda version, size: version.distinct[size].mean),
    )
    rows = [
        (label(version), scope, *(value(version, size) for size in SIZES))
        for scope, value in scopes
        for version in figures.versions
    ]
    matched = (
        f"Matched: the same number of tokens from every version ({figures.matched_tokens:,}, all that the shortest "
        "has), from whole dialogues in a seeded random order."
    )
    if figures.sparse and not figures.shared_only:
        matched += f" Not matched, because few backgrounds have it: {few(figures)}."
    return Table(
        slug="distinct",
        caption="Lexical diversity, Distinct-N",
        columns=(
            Column("Version", numeric=False),
            Column("Scope", numeric=False),
            *(Column(f"N = {size}", decimals=3) for size in SIZES),
        ),
        rows=tuple(rows),
        notes=(*basis(figures), DISTINCT_NOTE, matched, FIGURE_3_NOTE),
        row_versions=hues(figures) * len(scopes),
    )


def hues(figures: CorpusFigures) -> tuple[str, ...]:
    return tuple(version.hue for version in figures.versions)
