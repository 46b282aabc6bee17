"""What a large training set costs. Run by hand from the checkout:

    python -m tests.benchmarks.training_sets [--backgrounds 5457]

Four versions a background, both sides: 21,828 dialogues, as many as the paper's data would give. Uses the database
that DATABASE_URL names (it must be migrated) and removes what it made. The rival is a plain loop over the same
dialogues, read in one query and rendered, without filters, backgrounds, counts or anything written.
"""

import argparse
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.db import connection, transaction

from dialogues.importing import remove
from dialogues.models import Corpus, Dialogue
from dialogues.transcript import Transcript
from generation.models import TrainingSet
from generation.training import directory, filters
from generation.training.building import build, delete_set
from generation.training.choosing import choose
from generation.training.examples import canonical_line, examples_of
from generation.training.recipe import Recipe
from generation.training.rendering import Source, example

NAME = "benchmark of training sets"
VERSIONS = ("alpha", "beta", "gamma", "stephanie")
TEXTS = ("hello there !", "how was your day ? mine was long .", "i went to the lake with my dog", "nice", "and you ?")
WRITTEN_AT_ONCE = 2000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backgrounds", type=int, default=5457)
    options = parser.parse_args()
    clear()
    corpus = filled(options.backgrounds)
    recipe = Recipe.of({"corpus": corpus.pk, "versions": VERSIONS, "filters": filters.usual_values()})
    print(f"{connection.vendor}, {len(VERSIONS) * options.backgrounds:,} dialogues, both sides")
    try:
        measure("rival: read and render in a plain loop", lambda: sum(1 for _ in bare(corpus, recipe)))
        measure("choose: filters, counts, order", lambda: len(choose(recipe, corpus).planned))
        made = measure("build: choose, survey, write, hash", lambda: build(recipe, NAME, by=None))
        measure("read as lines of JSON", lambda: written(made))
        with TemporaryDirectory() as folder:
            measure("export: Parquet and every target", lambda: directory.write(made, Path(folder, "set")))
    finally:
        clear()


def filled(backgrounds: int) -> Corpus:
    corpus = Corpus.objects.create(name=NAME)
    for first in range(0, backgrounds, WRITTEN_AT_ONCE):
        numbers = range(first, min(first + WRITTEN_AT_ONCE, backgrounds))
        with transaction.atomic():
            originals = Dialogue.objects.bulk_create(row(corpus, number, "alpha") for number in numbers)
            Dialogue.objects.bulk_create(
                row(corpus, number, version, origin=original, parent=original, written_by="a model")
                for number, original in zip(numbers, originals, strict=True)
                for version in VERSIONS[1:]
            )
    return corpus


def row(corpus: Corpus, number: int, version: str, **fields: Any) -> Dialogue:
    messages = [(1 + place // 2 % 2, f"{TEXTS[(place + number) % len(TEXTS)]} {number}") for place in range(26)]
    traits = {"traits_1": ["i have a dog .", "i like lakes ."], "traits_2": ["i work at night ."]}
    key = f"d{number}/{version}"
    return Dialogue.from_transcript(
        Transcript.of(messages),
        corpus=corpus,
        key=key,
        version_id=version,
        theme=f"A day {number}.",
        **traits,
        **fields,
    )


def bare(corpus: Corpus, recipe: Recipe) -> Iterator[object]:
    for one in corpus.dialogues.select_related("origin").iterator():
        background = one.origin.key if one.origin else one.key
        traits = tuple(one.traits_1), tuple(one.traits_2)
        source = Source(one.key, background, one.version_id, Transcript.of(one.messages), one.theme, *traits)
        for side in recipe.sides:
            yield example(source, side, recipe.form)


def written(made: TrainingSet) -> int:
    return sum(len(canonical_line(*pair)) for pair in examples_of(made))


def measure(label: str, work: Callable[[], Any]) -> Any:
    start, began = time.perf_counter(), time.process_time()
    found = work()
    seconds, computing = time.perf_counter() - start, time.process_time() - began
    # Kilobytes on Linux, bytes on macOS.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    print(f"{label:<45} {seconds:>7.1f} s, {computing:>5.1f} s of it computing; peak so far {peak:>6.0f} MB")
    return found


def clear() -> None:
    for made in TrainingSet.objects.filter(name=NAME):
        delete_set(made, by=None)
    for corpus in Corpus.objects.filter(name=NAME):
        remove(corpus)


if __name__ == "__main__":
    main()
