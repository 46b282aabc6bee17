"""The file forms by name, and how to tell which one a file is."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from dialogues.formats import csv_plain, jsonl, parlai, spc
from dialogues.formats.reading import UnreadableFileError, csv_rows
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


def sniff(lines: Iterable[str]) -> Format:
    """The form that the first line with text shows; raises UnreadableFileError where it shows none."""
    first = next((line for line in lines if line.strip()), "")
    if not first:
        raise UnreadableFileError("The file is empty.")
    if first.lstrip().startswith("{"):
        return FORMATS["jsonl"]
    if first.lstrip().startswith("["):
        raise UnreadableFileError("This is one JSON list. Write one object a line instead (JSONL).")
    _, cells = next(csv_rows([first]), (1, []))
    if not isinstance(cells, str) and spc.is_header(cells):
        return FORMATS["spc"]
    if csv_plain.delimiter_of(first):
        return FORMATS["csv"]
    if _NUMBERED.match(first):
        return FORMATS["parlai"]
    raise UnreadableFileError(
        "The format cannot be told from the first line. Choose it: " + ", ".join(FORMATS) + " (docs/formats.md)."
    )
