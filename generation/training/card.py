"""README.md of an exported training set: the head that `datasets.load_dataset` reads, and a page for people."""

import json
import re
from collections.abc import Iterator

from generation.training.left_out import left_out
from generation.training.manifest import Manifest
from generation.training.parquet import SCHEMAS
from generation.training.recipe import Kind
from generation.training.sheets import PARQUET_FOLDER
from generation.training.targets.registry import PARQUET, TARGETS

NAME = "README.md"
# Names of licences that the hub knows (its documentation, “Licenses”); others are given as they are.
_LICENCES = {
    "mit": "mit",
    "apache-2.0": "apache-2.0",
    "cc0-1.0": "cc0-1.0",
    "cc-by-4.0": "cc-by-4.0",
    "cc-by-3.0": "cc-by-3.0",
    "cc-by-sa-4.0": "cc-by-sa-4.0",
    "cc-by-sa-3.0": "cc-by-sa-3.0",
    "cc-by-nc-4.0": "cc-by-nc-4.0",
    "cc-by-nc-sa-4.0": "cc-by-nc-sa-4.0",
    "cc-by-nc-nd-4.0": "cc-by-nc-nd-4.0",
    "gpl-3.0": "gpl-3.0",
    "odc-by": "odc-by",
}
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_LARGEST = "1M<n<10M"


def card(made: Manifest) -> str:
    parts = [*_head(made), "", *_about(made), *_contents(made), *_writing(made), *_origin(made), *_use(made)]
    return "\n".join(parts) + "\n"


def _head(made: Manifest) -> Iterator[str]:
    yield "---"
    yield f"pretty_name: {_quoted(made.title)}"
    yield from _licence(made.licence)
    yield "task_categories:\n- text-generation"
    yield "tags:\n- dialogue\n- conversational"
    yield from (f"- {tag}" for tag, is_so in _tags(made).items() if is_so)
    total = sum(made.examples.values())
    yield f"size_categories:\n- {next((name for most, name in _SIZES if total < most), _LARGEST)}"
    if PARQUET in made.targets:
        yield "configs:\n- config_name: default\n  data_files:"
        yield from (f"  - split: {split}\n    path: {PARQUET_FOLDER}/{split}.parquet" for split in made.examples)
        yield "dataset_info:\n  features:"
        yield from _features(made.recipe.kind)
    yield "---"


def _licence(licence: str) -> Iterator[str]:
    known = _LICENCES.get(re.sub(r"[\s_]+", "-", licence.strip().lower()))
    if not licence:
        yield "license: unknown"
    elif known:
        yield f"license: {known}"
    else:
        yield f"license: other\nlicense_name: {_quoted(licence)}"


def _tags(made: Manifest) -> dict[str, bool]:
    return {
        "preference": made.recipe.kind == "preferences",
        "demo-content": made.labels["demo"],
        "simulated-ratings": made.labels["simulated"],
        "personal-data": bool(made.privacy_notice),
    }


def _features(kind: Kind) -> Iterator[str]:
    """As `datasets` writes its features; a list holds messages."""
    for field in SCHEMAS[kind]:
        yield f"  - name: {field.name}"
        if str(field.type).startswith("list"):
            yield "    list:\n    - name: role\n      dtype: string\n    - name: content\n      dtype: string"
        else:
            yield f"    dtype: {field.type}"


def _about(made: Manifest) -> Iterator[str]:
    yield f"# {_plain(made.title)}\n"
    yield from (f"> **{_plain(notice)}**\n" for notice in made.notices)
    yield f"{_plain(made.summary)}\n"


def _contents(made: Manifest) -> Iterator[str]:
    yield "## What is in it\n\n| split | examples |\n| --- | ---: |"
    yield from (f"| {split} | {count:,} |" for split, count in made.examples.items())
    yield "\nAll dialogues of a background are in one split.\n"
    yield from left_out(made.counts)


def _writing(made: Manifest) -> Iterator[str]:
    recipe = made.recipe
    yield "## How it is written\n"
    yield f"- Between two messages of one turn stands the delimiter {_code(recipe.delimiter)}."
    yield f"- The model plays speaker {' and speaker '.join(map(str, recipe.sides))}, in examples of their own."
    if recipe.opener:
        yield f"- Where the model's side speaks first, the user says {_code(recipe.opener)}."
    if recipe.system:
        yield "- The system message follows this template; a line is left out where nothing is known for it:\n"
        yield from (f"      {line}" for line in recipe.system.split("\n"))
    yield f"- SHA-256 of the examples: `{made.sha256}`\n"


def _origin(made: Manifest) -> Iterator[str]:
    yield f"## Where it comes from\n\n- Corpus: {_plain(made.corpus)}"
    yield f"- Source: {_plain(made.source) or 'not recorded'}"
    yield f"- Licence: {_plain(made.licence) or 'not recorded; ask before you share it'}"
    yield "\n| version | written by | dialogues |\n| --- | --- | ---: |"
    for row in made.lineage["written"]:
        author = _plain(row["written_by"]) or "the corpus's own people"
        mark = " (demo rules, not a language model)" if row["is_demo"] else ""
        yield f"| {_plain(row['version'])} | {author}{mark} | {row['dialogues']:,} |"
    yield ""
    for title, runs in (("Written in", made.lineage["runs"]), ("Judged in", made.lineage["judges"])):
        for run in runs:
            models = dict.fromkeys(f"{stage['stage']}: {stage['model']}" for stage in run["stages"])
            yield f"- {title} run {run['run']}, {_plain(run['name'])} ({_plain('; '.join(models))})"
    yield "\n`manifest.json` has prompts with their hashes, parameters, seeds and the hash of every file.\n"


def _use(made: Manifest) -> Iterator[str]:
    yield "## How to use it\n"
    if PARQUET in made.targets:
        yield '- `datasets.load_dataset("THIS FOLDER")` opens the Parquet files, offline, too.'
    for target in TARGETS[made.recipe.kind]:
        if target.name in made.targets:
            yield f"- `{target.folder}/`, {target.label}: {target.about}"


def _quoted(text: str) -> str:
    """As a text of YAML; JSON's are."""
    return json.dumps(" ".join(text.split()), ensure_ascii=False)


def _plain(text: str) -> str:
    """On one line, without what Markdown would read as a table, a mark or HTML."""
    return re.sub(r"([\\`*_|<>\[\]#])", r"\\\1", " ".join(text.split()))


def _code(text: str) -> str:
    """A delimiter as code, a line break in it as \\n."""
    shown = text.replace("\n", "\\n")
    return f"`{shown}`" if "`" not in shown else f"`` {shown} ``"
