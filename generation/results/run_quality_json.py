"""The figures of `quality` as plain JSON, for the API and `run quality --json`."""

from typing import Any

from core.intervals import Estimate
from generation.results.run_quality import Kept, Quality, StageOutcomes, Written
from generation.results.writers import Writer


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
