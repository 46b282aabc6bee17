"""Training sets as building leaves them, made without going through it."""

import hashlib
from collections.abc import Iterable
from typing import Any

from dialogues.models import Corpus, Dialogue
from generation.models import TrainingItem, TrainingSet
from generation.training.examples import canonical_line, examples_of
from generation.training.recipe import Recipe
from generation.training.splits import split_of


def built_set(
    corpus: Corpus,
    dialogues: Iterable[Dialogue],
    worse: Iterable[Dialogue] | None = None,
    *,
    name: str = "Set",
    **recipe: Any,
) -> TrainingSet:
    """A set of these dialogues in this order, with their own themes and traits; `worse` makes it one of preferences."""
    kind = "preferences" if worse is not None else "dialogues"
    chosen = Recipe(corpus=corpus.pk, kind=kind, **recipe).checked()
    rows = list(dialogues)
    counts = {"labels": {"demo": any(row.is_demo for row in rows), "simulated": False}}
    made = TrainingSet.objects.create(name=name, corpus=corpus, recipe=chosen.as_json(), counts=counts)
    others: list[Dialogue | None] = [*worse] if worse is not None else [None] * len(rows)
    backgrounds = [row.origin.key if row.origin else row.key for row in rows]
    splits = split_of(set(backgrounds), validation=chosen.validation, test=chosen.test, seed=chosen.seed)
    TrainingItem.objects.bulk_create(
        TrainingItem(
            training_set=made, number=number, split=splits[background], dialogue=row, worse=other,
            background=background, theme=row.theme, traits_1=row.traits_1, traits_2=row.traits_2,
        )
        for number, (row, other, background) in enumerate(zip(rows, others, backgrounds, strict=True), 1)
    )  # fmt: skip
    lines = "".join(canonical_line(*pair) for pair in examples_of(made))
    made.sha256, made.state = hashlib.sha256(lines.encode()).hexdigest(), TrainingSet.State.BUILT
    made.save(update_fields=["sha256", "state"])
    return made
