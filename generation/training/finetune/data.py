"""An exported training set, as `generation.training.directory` writes it, checked against its manifest."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, cast

import pyarrow.parquet as pq

from generation.training.delimiter import control_mark
from generation.training.delimiter import problem as delimiter_problem
from generation.training.finetune.refusals import RefusedError

Message = dict[str, str]
SPLITS = ("train", "validation", "test")
_COLUMNS = {"dialogues": ["name", "messages"], "preferences": ["name", "prompt", "chosen", "rejected"]}


class Row(NamedTuple):
    """One example. `messages` starts with the user, perhaps after the system, and ends with the assistant.

    A preference's messages end with the better reply, and `rejected` is the worse one.
    """

    name: str
    messages: list[Message]
    rejected: str = ""


class Asked(NamedTuple):
    """A prompt and the reply that the data gives."""

    prompt: list[Message]
    reply: str


@dataclass(frozen=True)
class ExportedSet:
    """`sha256` is the hash of the set's examples; the split files are read once, when they are asked for."""

    folder: Path
    name: str
    kind: str
    delimiter: str
    sha256: str
    labels: dict[str, Any]

    @cached_property
    def rows(self) -> dict[str, list[Row]]:
        return {split: list(self._rows(split)) for split in SPLITS}

    @property
    def held_out(self) -> str:
        """The split that the check after training asks about; "" if the set has none."""
        return next((split for split in ("test", "validation") if self.rows[split]), "")

    def _rows(self, split: str) -> Iterator[Row]:
        path = _split_file(self.folder, split)
        if not path.exists():
            return
        for row in pq.read_table(path, columns=_COLUMNS[self.kind]).to_pylist():
            if self.kind == "dialogues":
                yield Row(row["name"], row["messages"])
            else:
                yield Row(row["name"], [*row["prompt"], *row["chosen"]], row["rejected"][0]["content"])


def open_set(folder: Path, method: str) -> ExportedSet:
    """Raises RefusedError where the folder is no export, was changed, or cannot be trained on by this method."""
    manifest = _manifest(folder)
    try:
        found = ExportedSet(
            folder,
            f"{manifest['name']} v{manifest['version']}",
            manifest["kind"],
            manifest["delimiter"],
            manifest["sha256"],
            dict(manifest.get("labels") or {}),
        )
        hashes = {name: one["sha256"] for name, one in manifest["files"].items()}
    except (KeyError, TypeError, AttributeError):
        raise RefusedError(
            f"{folder / 'manifest.json'} is no manifest of a training set. Export the set anew."
        ) from None
    _check_kind(found.kind, method)
    if why := delimiter_problem(found.delimiter):
        raise RefusedError(why)
    _check_files(folder, hashes)
    if not found.rows["train"]:
        raise RefusedError(
            f"{found.name} has no example to train on. Build it with more dialogues or a smaller held-out share."
        )
    _check_texts(found)
    return found


def asked(rows: Sequence[Row]) -> Iterator[Asked]:
    """Every reply of the rows with what was said before it."""
    for row in rows:
        for place, message in enumerate(row.messages):
            is_asked = place == len(row.messages) - 1 if row.rejected else message["role"] == "assistant"
            if is_asked:
                yield Asked(row.messages[:place], message["content"])


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / "manifest.json"
    try:
        return cast("dict[str, Any]", json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        raise RefusedError(
            f"{path} cannot be read. Name a folder that `manage.py training export SET --output DIR` wrote."
        ) from None


def _check_kind(kind: str, method: str) -> None:
    if kind not in _COLUMNS:
        raise RefusedError(f"The manifest names an unknown kind of set, {kind!r}. Export the set anew.")
    if (kind == "preferences") != (method == "dpo"):
        fitting = "--method dpo" if kind == "preferences" else "--method lora or full"
        raise RefusedError(f"This is a set of {kind}: train on it with {fitting}.")


def _check_files(folder: Path, hashes: dict[str, str]) -> None:
    for split in SPLITS:
        path = _split_file(folder, split)
        wanted = hashes.get(f"data/{split}.parquet")
        if path.exists() != bool(wanted) or (wanted and _sha256(path) != wanted):
            raise RefusedError(f"{path} differs from what the manifest says of it. Export the set anew.")


def _check_texts(data: ExportedSet) -> None:
    for row in (row for rows in data.rows.values() for row in rows):
        texts = [message["content"] for message in row.messages if message["role"] != "system"]
        for text in [*texts, *([row.rejected] if row.rejected else [])]:
            if any(part != part.strip() or not part for part in text.split(data.delimiter)):
                raise RefusedError(
                    f"A message of example {row.name} holds the delimiter {data.delimiter!r}. Build it with another."
                )
            if mark := control_mark(text):
                raise RefusedError(f"Example {row.name} holds {mark}, a mark of chat templates. Build the set anew.")


def _split_file(folder: Path, split: str) -> Path:
    return folder / "data" / f"{split}.parquet"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
