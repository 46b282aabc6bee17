"""The file forms by name, and how to recognise the form of a file."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from core.lines import lines_of
from dialogues.formats import csv_plain, foreign, jsonl, parlai, spc
from dialogues.formats.reading import UnreadableFileError, csv_rows, quoted
from dialogues.formats.records import Parser

AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Format:
    name: str
    label: str
    parse: Parser


FORMATS = {
    form.name: form
    for form in (
        Format("parlai", "ParlAI text (PERSONA-CHAT, ConvAI2)", parlai.parse),
        Format("spc", "Synthetic-Persona-Chat CSV", spc.parse),
        Format("jsonl", "Stephanie JSONL", jsonl.parse),
        Format("csv", "Plain CSV (dialogue_id, speaker, text)", csv_plain.parse),
    )
}

_NUMBERED = re.compile(r"\d+ \S")


def form_of(head: str, name: str = AUTO, columns: Mapping[str, str] | None = None) -> Format:
    """The named form, or the one that the beginning of the file shows; raises UnreadableFileError if it shows none.

    `columns` gives a plain CSV's names of columns.
    """
    if not head.strip():
        raise UnreadableFileError("The file is empty.")
    if columns:
        if name not in (AUTO, "csv"):
            raise UnreadableFileError(f"Columns can be named for plain CSV only, not for {FORMATS[name].label}.")
        return replace(FORMATS["csv"], parse=partial(csv_plain.parse, columns=columns))
    if problem := foreign.refusal(head):
        raise UnreadableFileError(problem)
    return sniff(head) if name == AUTO else FORMATS[name]


def sniff(head: str) -> Format:
    """The form that the first lines with text show; raises UnreadableFileError if they show none."""
    lines = [line for line in lines_of(head) if line.strip()]
    first = lines[0].lstrip()
    if first.startswith("{"):
        return FORMATS["jsonl"]
    _, cells = next(csv_rows([first]), (1, []))
    if not isinstance(cells, str) and spc.is_header(cells):
        return FORMATS["spc"]
    if csv_plain.delimiter_of(first):
        return FORMATS["csv"]
    if _NUMBERED.match(first):
        return FORMATS["parlai"]
    if csv_plain.looks_like_csv(lines):
        return FORMATS["csv"]
    raise UnreadableFileError(
        f"The form cannot be told from the first line, “{quoted(first.strip())}”. Choose it: {', '.join(FORMATS)} "
        "(docs/formats.md describes them)."
    )
