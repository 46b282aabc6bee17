"""A bundle described as an RO-Crate 1.1 (https://w3id.org/ro/crate/1.1): JSON-LD that archives and search engines read.

The `rocrate` package would bring six more and read the clock; what a bundle needs of it is this page. CONTRIBUTING says
how `roc-validator` checks it.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

NAME = "ro-crate-metadata.json"
CONTEXT = "https://w3id.org/ro/crate/1.1/context"
VERSION = "https://w3id.org/ro/crate/1.1"
TYPES = {
    "csv": "text/csv",
    "json": "application/json",
    "jsonl": "application/x-ndjson",
    "md": "text/markdown",
    "pdf": "application/pdf",
    "png": "image/png",
    "py": "text/x-python",
    "svg": "image/svg+xml",
    "tex": "application/x-tex",
    "txt": "text/plain",
}
NO_LICENCE = "No licence is recorded for these dialogues. Ask before you share them."
# What stands in a folder, or in a file of the first folder.
ABOUT = {
    "README.md": "What is in this bundle, and how to use it.",
    "study.json": "The study, its questions, versions, raters and judges, and the software that made this.",
    "design.json": "The study's design, from which Stephanie makes the same study again.",
    "rubric.json": "The questions and their scale.",
    "plan": "The analysis plan, frozen before the first rating, as JSON and for registries.",
    "materials": "Models with their parameters, prompts, and sets of examples.",
    "data": "What was rated, by whom by pseudonym, in which order, and which ratings count.",
    "tables": "A table of the report with every value, and as it was shown.",
    "report": "The report as its page shows it.",
    "replicate.py": "Computes every cell of the tables again from the data.",
    "check.py": "Computes the simplest figures in another way.",
    "requirements.txt": "The Python packages that replicate.py needs.",
    "analysis": "The program that computes the tables.",
}


@dataclass(frozen=True, slots=True)
class Described:
    """What a crate says of the whole; `changed_at` is ISO 8601, `licence` "" where none is known."""

    name: str
    description: str
    changed_at: str
    licence: str
    software_version: str


def crate(about: Described, sizes: Mapping[str, int]) -> str:
    """The JSON-LD text; `sizes` are the bytes of every other file by path."""
    graph = [_descriptor(), _root(about, sizes), _licence(about), _software(about), *_files(sizes)]
    return json.dumps({"@context": CONTEXT, "@graph": graph}, ensure_ascii=False, indent=1) + "\n"


def _descriptor() -> dict[str, Any]:
    return {"@id": NAME, "@type": "CreativeWork", "conformsTo": {"@id": VERSION}, "about": {"@id": "./"}}


def _root(about: Described, sizes: Mapping[str, int]) -> dict[str, Any]:
    return {
        "@id": "./",
        "@type": "Dataset",
        "name": about.name,
        "description": about.description,
        "datePublished": about.changed_at,
        "license": {"@id": "#licence"},
        "hasPart": [{"@id": path} for path in sizes],
        "mentions": {"@id": "#stephanie"},
    }


def _licence(about: Described) -> dict[str, Any]:
    said = {"name": about.licence, "description": f"The licence of the dialogues: {about.licence}"}
    unsaid = {"name": "No licence recorded", "description": NO_LICENCE}
    return {"@id": "#licence", "@type": "CreativeWork", **(said if about.licence else unsaid)}


def _software(about: Described) -> dict[str, Any]:
    return {
        "@id": "#stephanie",
        "@type": "SoftwareApplication",
        "name": "Stephanie",
        "description": "A workbench for step-by-step dialogue research, which made this bundle.",
        "version": about.software_version,
        "softwareVersion": about.software_version,
    }


def _files(sizes: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    for path, size in sizes.items():
        kind = ["File", "SoftwareSourceCode"] if path.endswith(".py") else "File"
        yield {
            "@id": path,
            "@type": kind,
            "name": path,
            "description": ABOUT[path.partition("/")[0]],
            "contentSize": str(size),
            "encodingFormat": TYPES.get(path.rpartition(".")[2], "text/plain"),
        }
