"""Notes under the judges' tables (who scored and wrote, what is missing), and the paper's figures beside ours. Pure."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from dialogues.display import DEMO_LABEL
from dialogues.published import published_table
from dialogues.rubric import Metric, has_the_papers_words
from generation.judgements.scores import ORIGINAL, Place

TABLES = (1, 2)
# Shown beside writers that the paper does not have: the system that it reports most about.
USUAL = "GPT-4"
_SYSTEMS = {
    "GPT-4": re.compile(r"gpt-?4(?!\.1|o|\d)", re.IGNORECASE),
    "Llama3-70b": re.compile(r"llama-?3(?![.\-_]?[1-9](?!\d{0,9}b)).{0,99}70b", re.IGNORECASE),
    "Phi3-3.8b": re.compile(r"phi-?3(?![.]\d).{0,99}(?:mini|3\.8b)", re.IGNORECASE),
}


def provenance(judge: str, writers: Collection[str], demo: Collection[str], *, is_demo: bool) -> Iterator[str]:
    """Says if the demo judged or is one of the writers; these notes come first."""
    yield from demo_judge(judge, is_demo=is_demo)
    if by_demo := sorted({*writers} & {*demo}):
        yield f"Written by {', '.join(by_demo)}: {DEMO_LABEL}."


def demo_judge(judge: str, *, is_demo: bool) -> Iterator[str]:
    if is_demo:
        yield f"Judge {judge}: {DEMO_LABEL}; the scores are counted from the text and say nothing about it."


def settings_of(rubric: str, prompt: str, parameters: Mapping[str, Any], *, tidy: bool) -> str:
    """What a judge is besides its model: questions, version of the prompt, the text it read, parameters."""
    settings = [f"{name} {value}" for name, value in parameters.items() if not isinstance(value, dict)]
    return ", ".join((rubric, f"prompt {prompt}", "tidied text" if tidy else "text as stored", *settings))


def own_writing(judge: str, writers: Collection[str], *, is_demo: bool) -> Iterator[str]:
    """Warns of a judge that scores its own writing; endpoints add a date to the name of a model."""
    own = re.compile(rf"{re.escape(judge)}([-@]\d[\d-]*)?")
    if any(map(own.fullmatch, writers)) and not is_demo:
        yield f"{judge} also wrote some of these dialogues: models tend to prefer their own writing."


def missing(failed: int, waiting: int) -> Iterator[str]:
    if failed or waiting:
        yield f"Not in any mean: {failed:,} judgements that failed and {waiting:,} that are waiting."


def originals(writers: Collection[str]) -> Iterator[str]:
    if ORIGINAL in writers and len(writers) > 1:
        yield "Originals appear beside each writer, over the backgrounds on which its dialogues were judged."


def dash_note(symbols: Mapping[str, str], metrics: tuple[Metric, ...]) -> Iterator[str]:
    for slug in symbols:
        names = [metric.name for metric in metrics if slug in metric.dash_for]
        if names:
            yield (
                f"“—” for {symbols[slug]} under {' and '.join(names)}, as in the paper. The judge was asked all the "
                "same, so that its form gave nothing away; those scores are kept."
            )


def paper_notes(places: Sequence[Place]) -> Iterator[str]:
    """Which system's printed values are shown, and what to know about them."""
    writers = dict.fromkeys(place.writer for place in places)
    for system in dict.fromkeys(system_beside(writer) for writer in writers):
        under = [writer for writer in writers if writer != ORIGINAL and system_beside(writer) == system]
        where = f" under {', '.join(under)}" if len(writers) > 1 else ""
        yield f"Lines “paper”{where}: printed for {system}, judged by Claude-3-sonnet; its prompt is not published."


def system_beside(writer: str) -> str:
    """The paper's system for a writer's model name: the same model if the paper has it, else GPT-4."""
    return next((system for system, name in _SYSTEMS.items() if name.search(writer)), USUAL)


def paper_figure(metric: Metric, place: Place) -> float | None:
    """The paper's figure for a column; None if the judge was asked another question."""
    if not has_the_papers_words(metric):
        return None
    return printed(metric.key, place.version, system_beside(place.writer))


def printed(metric: str, version: str, system: str) -> float | None:
    """The figure of Table 1 or 2, or None if neither prints one."""
    for number in TABLES:
        table = published_table(number)
        if system in table.systems:
            return table.value(metric, version, system)
    return None
