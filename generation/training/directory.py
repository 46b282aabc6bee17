"""A training set as a directory: the examples in every form, what they are, and where they come from.

The examples are read once and written into all files at the same time, so memory stays flat. Nothing in the directory
depends on when or where it is written: the same set gives the same bytes with the same version of pyarrow.
"""

import hashlib
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from secrets import token_hex

from generation.models import TrainingSet
from generation.training import card, croissant, manifest
from generation.training.examples import canonical_line, examples_of
from generation.training.lineage import lineage_of
from generation.training.manifest import Manifest
from generation.training.recipe import Recipe
from generation.training.sheets import MiscountedError, Sheets, described, folders
from generation.training.splits import SPLITS
from generation.training.targets.registry import PARQUET, chosen

# Is told how many items of the set are written.
Tell = Callable[[int], object]


class DirectoryError(Exception):
    """No directory was written; the text says why, and what to do."""


def write(
    training_set: TrainingSet,
    folder: Path,
    *,
    targets: Sequence[str] = (),
    replace: bool = False,
    tell: Tell = lambda done: None,
) -> Manifest:
    """Write a built set into a new folder, whole or not at all; `targets` are names of the registry, by default all.

    With `replace`, an earlier export in that place goes; anything else there stays. Raises DirectoryError, and
    UnknownTargetError for a target that the set does not have. What `tell` raises ends the writing.
    """
    folder = folder.absolute()
    refuse_taken(folder, replace=replace)
    part = folder.with_name(f".{token_hex(8)}")
    try:
        part.mkdir(parents=True)
        written = _fill(part, training_set, targets, tell)
        _move(part, folder)
    except MiscountedError as error:
        raise DirectoryError(f"{error} Check the disk, and export again.") from error
    except OSError as error:
        why = f"{folder} cannot be written: {error.strerror}. Name a folder that you may write to, with room for it."
        raise DirectoryError(why) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return written


def refuse_taken(folder: Path, *, replace: bool) -> None:
    """Raise DirectoryError unless the place is free, an empty folder, or an export that may be replaced."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not (folder / manifest.NAME).is_file():
        raise DirectoryError(f"{folder} exists and is no exported training set. Name a new folder.")
    if not replace:
        raise DirectoryError(f"{folder} holds an exported training set. Name another folder, or add --force.")


def _fill(folder: Path, training_set: TrainingSet, names: Sequence[str], tell: Tell) -> Manifest:
    recipe = Recipe.of(training_set.recipe)
    with_parquet = not names or PARQUET in names
    wanted = chosen(recipe.kind, names)
    sheets = Sheets(folder, recipe.kind, wanted, with_parquet=with_parquet)
    with closing(sheets):
        examples = _written_examples(training_set, sheets, tell)
    sheets.add_companions()
    lineage = lineage_of(training_set)
    made = Manifest(
        name=training_set.name,
        version=training_set.version,
        corpus=training_set.corpus.name,
        licence=training_set.corpus.licence,
        source=training_set.corpus.source,
        privacy_notice=training_set.corpus.privacy_notice,
        recipe=recipe,
        sha256=training_set.sha256,
        labels={"demo": lineage.is_demo, "simulated": _is_simulated(training_set)},
        counts=training_set.counts,
        lineage=lineage.as_json(),
        targets=folders(wanted, with_parquet=with_parquet),
        examples=examples,
        files=sheets.files(),
    )
    return _described(folder, made)


def _is_simulated(training_set: TrainingSet) -> bool:
    """Whether simulated ratings had a say in what was taken; the survey before building found out."""
    return bool(training_set.counts.get("labels", {}).get("simulated"))


def _written_examples(training_set: TrainingSet, sheets: Sheets, tell: Tell) -> dict[str, int]:
    """How many examples each split has; raises DirectoryError if they are not those that the set was built of."""
    digest, counts = hashlib.sha256(), Counter[str]()
    for item, made in examples_of(training_set):
        digest.update(canonical_line(item, made).encode())
        sheets.add(item.split, made)
        counts[item.split] += 1
        tell(item.number)
    if digest.hexdigest() != training_set.sha256:
        raise DirectoryError(
            f"The examples of {training_set} are no longer those that it was built of: a dialogue has changed, or how "
            "this version of the program writes dialogues. Build the set again, as a new version."
        )
    return {split: counts[split] for split in SPLITS if counts[split]}


def _described(folder: Path, made: Manifest) -> Manifest:
    """Write the card, the Croissant file of the Parquet files, and the manifest, which has the hashes of all others."""
    texts = {card.NAME: card.card(made)}
    if PARQUET in made.targets:
        texts[croissant.NAME] = croissant.croissant(made)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", newline="")
    made = made.with_files({name: described(folder / name) for name in texts})
    (folder / manifest.NAME).write_text(made.text(), encoding="utf-8", newline="")
    return made


def _move(part: Path, folder: Path) -> None:
    if not folder.exists():
        part.rename(folder)
        return
    before = folder.with_name(f".{token_hex(8)}")
    folder.rename(before)
    try:
        part.rename(folder)
    except OSError:
        before.rename(folder)
        raise
    shutil.rmtree(before, ignore_errors=True)
