"""Notes under the judges' tables: who scored and wrote, what is missing, what the paper printed."""

import re
from collections.abc import Iterator

from dialogues.display import DEMO_LABEL
from dialogues.rubric import Metric
from generation.judgements import paper
from generation.judgements.loading import Findings, Verdict
from generation.judgements.scores import ORIGINAL, Place


def provenance(found: Findings, verdict: Verdict) -> Iterator[str]:
    """Says if the demo scored or wrote; these notes come first."""
    if verdict.is_demo:
        yield f"Judge {verdict.name}: {DEMO_LABEL}; the scores are counted from the text and say nothing about it."
    demo = sorted(found.demo_writers & {row.writer for row in verdict.rows})
    if demo:
        yield f"Written by {', '.join(demo)}: {DEMO_LABEL}."


def own_writing(verdict: Verdict) -> Iterator[str]:
    """Warns of a judge that scores its own writing; endpoints add a date to the name of a model."""
    own = re.compile(rf"{re.escape(verdict.name)}([-@]\d[\d-]*)?")
    if any(own.fullmatch(row.writer) for row in verdict.rows) and not verdict.is_demo:
        yield f"{verdict.name} also wrote some of these dialogues: models tend to prefer their own writing."


def missing(verdict: Verdict) -> Iterator[str]:
    waiting = sum(counts.open for counts in verdict.calls.values())
    if verdict.failed or waiting:
        yield f"Not in any mean: {verdict.failed:,} judgements that failed and {waiting:,} that are waiting."


def originals(verdict: Verdict) -> Iterator[str]:
    writers = {row.writer for row in verdict.rows}
    if ORIGINAL in writers and len(writers) > 1:
        yield "Originals appear beside each writer, over the backgrounds on which its dialogues were judged."


def dash_note(found: Findings, metrics: tuple[Metric, ...]) -> Iterator[str]:
    symbols = found.symbols
    for slug in symbols:
        names = [metric.name for metric in metrics if slug in metric.dash_for]
        if names:
            yield (
                f"“—” for {symbols[slug]} under {' and '.join(names)}, as in the paper. The judge was asked all the "
                "same, so that its form gave nothing away; those scores are kept."
            )


def paper_notes(places: list[Place]) -> Iterator[str]:
    """Which system's printed values are shown, and what to know about them."""
    writers = dict.fromkeys(place.writer for place in places)
    for system in dict.fromkeys(paper.system_beside(writer) for writer in writers):
        under = [writer for writer in writers if writer != ORIGINAL and paper.system_beside(writer) == system]
        where = f" under {', '.join(under)}" if len(writers) > 1 else ""
        yield f"Lines “paper”{where}: printed for {system}, judged by Claude-3-sonnet; its prompt is not published."
