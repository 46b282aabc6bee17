"""The open files of an export: every example goes to all of them in one pass, and each counts what it must hold."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from generation.training.manifest import File
from generation.training.parquet import ParquetFile, rows_in
from generation.training.recipe import Kind
from generation.training.splits import SPLITS
from generation.training.targets.registry import PARQUET
from generation.training.targets.target import Made, Target, one

PARQUET_FOLDER = "data"


class MiscountedError(Exception):
    """A file does not hold what was written into it."""


class _Sheet(Protocol):
    def add(self, made: Made) -> None: ...
    def close(self) -> None: ...


class _Lines:
    def __init__(self, path: Path, target: Target) -> None:
        self._file = path.open("x", encoding="utf-8", newline="")
        self._target = target

    def add(self, made: Made) -> None:
        self._file.writelines(self._target.lines(made))

    def close(self) -> None:
        self._file.close()


class Sheets:
    """Files in a folder, made when their first example comes; close them before asking for `files`."""

    def __init__(self, folder: Path, kind: Kind, targets: Sequence[Target], *, with_parquet: bool) -> None:
        self._folder, self._kind, self._targets = folder, kind, targets
        self._with_parquet = with_parquet
        self._open: dict[str, list[tuple[str, _Sheet]]] = {}
        self._expected: dict[str, int] = {}

    def add(self, split: str, made: Made) -> None:
        if split not in self._open:
            self._open[split] = list(self._opened(split))
        counts = [*([one] if self._with_parquet else []), *(target.expected for target in self._targets)]
        for (path, sheet), expected in zip(self._open[split], counts, strict=True):
            sheet.add(made)
            self._expected[path] = self._expected.get(path, 0) + expected(made)

    def close(self) -> None:
        for sheets in self._open.values():
            for _, sheet in sheets:
                sheet.close()

    def splits(self) -> list[str]:
        """Those that hold examples, in their usual order."""
        return [split for split in SPLITS if split in self._open]

    def add_companions(self) -> None:
        """The files that the readers of some targets want beside the examples."""
        for target in self._targets:
            for name, text in target.files(self.splits()).items():
                (self._folder / target.folder / name).write_text(text, encoding="utf-8", newline="")

    def files(self) -> dict[str, File]:
        """Every file with its hash, read back from the disk; raises MiscountedError."""
        found = {path: described(self._folder / path) for path in relative(self._folder)}
        for path, expected in self._expected.items():
            there = rows_in(self._folder / path) if path.endswith(".parquet") else found[path].examples
            if there != expected:
                raise MiscountedError(f"{path} holds {there:,} examples where {expected:,} were written.")
            found[path] = found[path]._replace(examples=there)
        return found

    def _opened(self, split: str) -> Iterator[tuple[str, _Sheet]]:
        if self._with_parquet:
            path = self._place(PARQUET_FOLDER, f"{split}.parquet")
            yield path, ParquetFile(self._folder / path, self._kind)
        for target in self._targets:
            path = self._place(target.folder, f"{split}.jsonl")
            yield path, _Lines(self._folder / path, target)

    def _place(self, folder: str, name: str) -> str:
        (self._folder / folder).mkdir(parents=True, exist_ok=True)
        return f"{folder}/{name}"


def folders(targets: Iterable[Target], *, with_parquet: bool) -> dict[str, str]:
    """The folder of each target by its name."""
    found = {PARQUET: PARQUET_FOLDER} if with_parquet else {}
    return found | {target.name: target.folder for target in targets}


def relative(folder: Path) -> list[str]:
    """The paths of all files below, from the folder on, in order."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def described(path: Path) -> File:
    """A file by its bytes; a JSONL file has an example a line."""
    digest, size, lines = hashlib.sha256(), 0, 0
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
            size, lines = size + len(block), lines + block.count(b"\n")
    return File(digest.hexdigest(), size, lines if path.suffix == ".jsonl" else None)
