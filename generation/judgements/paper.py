"""Which figure of the paper's Tables 1 and 2 is shown beside which column of a project's own."""

import re

from dialogues.published import published_table
from dialogues.rubric import Metric, has_the_papers_words
from generation.judgements.scores import Place

TABLES = (1, 2)
# Shown beside writers that the paper does not have: the system that it reports most about.
USUAL = "GPT-4"
_SYSTEMS = {
    "GPT-4": re.compile(r"gpt-?4(?!\.1|o|\d)", re.IGNORECASE),
    "Llama3-70b": re.compile(r"llama-?3(?![.\-_]?[1-9](?!\d{0,9}b)).{0,99}70b", re.IGNORECASE),
    "Phi3-3.8b": re.compile(r"phi-?3(?![.]\d).{0,99}(?:mini|3\.8b)", re.IGNORECASE),
}


def system_beside(writer: str) -> str:
    """The paper's system for a writer's model name: the same model if the paper has it, else GPT-4."""
    return next((system for system, name in _SYSTEMS.items() if name.search(writer)), USUAL)


def beside(metric: Metric, place: Place) -> float | None:
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
