"""The figures of `run_quality` as tables and as JSON: how replies went, lengths and turns beside the paper's."""

from collections.abc import Iterable
from typing import Any

from core.intervals import Estimate
from core.tables import Cell, Column, Label, Table
from dialogues import published
from dialogues.statistics.words_and_turns import RUN_LABELS, TOKENIZERS
from dialogues.statistics_tables import ACMC_NOTE, DEMO_REMARK, INTERVAL_NOTE, RUN_NAMES, TABLE_5_NOTE
from generation.results.run_quality import Kept, Quality, StageOutcomes, Written
from generation.results.writers import Writer
from generation.watching.causes import CAUSES, MEANINGS

BANDS = ("below 80 %", "80 to 90 %", "90 to 95 %", "95 to 100 %", "all")
PAPER_NOTE = "“paper” is its Table {}: GPT-4, 100 dialogues."


def quality_tables(quality: Quality) -> dict[str, Table]:
    """By slug; a table without a row is left out."""
    tables = (outcomes(quality), problems(quality), lengths(quality), consecutive(quality), content(quality))
    return {table.slug: table for table in tables if table.rows}


def comparison_tables(quality: Quality) -> dict[str, Table]:
    """The tables that set one model beside another."""
    wanted = ("lengths", "consecutive", "content", "outcomes")
    tables = quality_tables(quality)
    return {slug: tables[slug] for slug in wanted if slug in tables}


def outcomes(quality: Quality) -> Table:
    counts = ("Dialogues", "At once", "After repair", "Failed", "Open")
    return Table(
        slug="outcomes",
        caption="How far dialogues came, stage by stage",
        columns=(
            Column("Stage", numeric=False),
            Column("Model", numeric=False),
            *(Column(name) for name in counts),
            Column("Usable, %", decimals=1),
        ),
        rows=tuple(
            (
                row.stage.label,
                quality.writers.label(row.writer, "stephanie" if row.stage == "further_split" else ""),
                row.reached,
                row.first,
                row.mended,
                row.failed.total(),
                row.open,
                100 * row.usable / (row.reached - row.open) if row.reached > row.open else None,
            )
            for row in quality.outcomes
        ),
        notes=(
            "At once: the first reply was what was asked for. After repair: a second or third reply was. Open: "
            "waiting, on its way, or held for a decision. Usable: share of those that are not open.",
        ),
    )


def problems(quality: Quality) -> Table:
    rows: list[tuple[Cell, ...]] = []
    found: list[str] = []
    for row in quality.outcomes:
        for cause, count in row.causes.most_common():
            found.append(cause)
            name = quality.writers.label(row.writer)
            rows.append((CAUSES.get(cause, cause), row.stage.label, name, count, row.failed[cause]))
    meanings = [f"{CAUSES[cause]}: {MEANINGS[cause]}" for cause in CAUSES if cause in found and cause in MEANINGS]
    return Table(
        slug="problems",
        caption="What was wrong with replies",
        columns=(
            *(Column(name, numeric=False) for name in ("Problem", "Stage", "Model")),
            Column("Replies"),
            Column("Dialogues that failed by it"),
        ),
        rows=tuple(rows),
        notes=("A reply with a problem is followed by at most two repair calls; most are mended so.", *meanings),
    )


def lengths(quality: Quality) -> Table:
    pairs = (Column(side, group=group) for group in ("Words/message", "ACMC") for side in ("here", "paper"))
    return Table(
        slug="lengths",
        caption="Words a message and average consecutive message count",
        columns=(
            *(Column(name, numeric=False) for name in ("Version", "Model")),
            *(Column(name) for name in ("Dialogues", "Messages", "Turns")),
            *pairs,
        ),
        rows=tuple(
            (
                *_named(quality, row),
                row.dialogues,
                row.messages,
                row.turns,
                row.words_per_message,
                published.value(4, "words_per_message", row.version.pk),
                row.acmc,
                published.value(4, "acmc", row.version.pk),
            )
            for row in quality.written
        ),
        notes=(f"Tokenizer: {TOKENIZERS[quality.tokenizer]}.", INTERVAL_NOTE, ACMC_NOTE, PAPER_NOTE.format(4)),
        row_versions=_hues(quality.written),
    )


def consecutive(quality: Quality) -> Table:
    rows: list[tuple[Cell, ...]] = []
    hues: list[str] = []
    for row in quality.written:
        shares = (100 * row.consecutive[run] for run in RUN_LABELS)
        rows.append((*_named(quality, row), *shares, row.turns))
        hues.append(row.version.hue)
    for version in dict.fromkeys(row.version for row in quality.written):
        printed = [published.value(5, version.pk, run) for run in RUN_LABELS]
        if any(share is not None for share in printed):
            rows.append((version.symbol, "paper, GPT-4", *printed, None))
            hues.append(version.hue)
    runs = (Column(name, group="Messages in a turn, % of turns") for name in RUN_NAMES)
    return Table(
        slug="consecutive",
        caption="Turns by number of consecutive messages",
        columns=(*(Column(name, numeric=False) for name in ("Version", "Model")), *runs, Column("Turns")),
        rows=tuple(rows),
        notes=(TABLE_5_NOTE,),
        row_versions=tuple(hues),
    )


def content(quality: Quality) -> Table:
    bands = (Column(name, group="Dialogues that keep so much of γ") for name in BANDS)
    return Table(
        slug="content",
        caption="What further-splitting kept of γ",
        columns=(
            Column("Model", numeric=False),
            Column("Kept, % of words", decimals=1),
            Column("Least", decimals=1),
            Column("New, % of words", decimals=1),
            *bands,
        ),
        rows=tuple(
            (
                Label(quality.writers.label(row.writer, "stephanie"), _remark(quality, row.writer)),
                row.kept.times(100),
                100 * row.least,
                100 * row.invented,
                *row.bands,
            )
            for row in quality.kept
        ),
        notes=(
            "Kept: the share of γ's words that stand in the rewrite in the same order and with the same speaker "
            "(longest common subsequence). New: the share of the rewrite's words that are not from γ. Mean over "
            "dialogues with its 95 % interval (Student's t). Replies below the run's threshold are not stored; they "
            "are counted as lost or invented content.",
        ),
    )


def _named(quality: Quality, row: Written) -> tuple[Cell, Cell]:
    symbol = Label(row.version.symbol, DEMO_REMARK if row.by_demo else "")
    return symbol, quality.writers.label(row.writer, row.version.pk) or "the corpus"


def _remark(quality: Quality, writer: Writer) -> str:
    """The remark that the demo wrote this writer's text, because files have no badge."""
    return DEMO_REMARK if any(row.by_demo for row in quality.written if row.writer == writer) else ""


def _hues(rows: Iterable[Written]) -> tuple[str, ...]:
    return tuple(row.version.hue for row in rows)


def quality_json(quality: Quality) -> dict[str, Any]:
    """Lists of objects; every writer goes by run, branch and the name that tables give it."""
    return {
        "tokenizer": quality.tokenizer,
        "demo": quality.by_demo,
        "outcomes": [_outcomes(quality, row) for row in quality.outcomes],
        "written": [_written(quality, row) for row in quality.written],
        "kept": [_kept(quality, row) for row in quality.kept],
    }


def _by(quality: Quality, writer: Writer | None) -> dict[str, Any]:
    if writer is None:
        return {"run": None, "branch": None, "writer": None}
    return {"run": writer.run, "branch": writer.branch, "writer": quality.writers.label(writer)}


def _outcomes(quality: Quality, row: StageOutcomes) -> dict[str, Any]:
    return {
        **_by(quality, row.writer),
        "stage": row.stage.value,
        "reached": row.reached,
        "at_once": row.first,
        "after_repair": row.mended,
        "open": row.open,
        "failed": dict(row.failed),
        "unusable_replies": dict(row.causes),
    }


def _written(quality: Quality, row: Written) -> dict[str, Any]:
    return {
        **_by(quality, row.writer),
        "version": row.version.slug,
        "dialogues": row.dialogues,
        "by_demo": row.by_demo,
        "messages": row.messages,
        "turns": row.turns,
        "words": row.words,
        "words_per_message": estimate_json(row.words_per_message),
        "acmc": estimate_json(row.acmc),
        "turns_by_length": dict(row.consecutive),
    }


def _kept(quality: Quality, row: Kept) -> dict[str, Any]:
    return {
        **_by(quality, row.writer),
        "kept": estimate_json(row.kept),
        "least": row.least,
        "invented": row.invented,
    }


def estimate_json(estimate: Estimate | None) -> dict[str, Any] | None:
    """Mean, number of observations, ends of the 95 % interval."""
    return None if estimate is None else estimate._asdict()
