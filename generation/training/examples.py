"""The examples of a built training set, in their order, rendered while they are read: memory stays flat."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import fields

from core.streaming import in_pages
from dialogues.models import Dialogue
from dialogues.transcript import Transcript
from generation.models import TrainingItem, TrainingSet
from generation.training.recipe import Recipe
from generation.training.rendering import Example, NotRenderedError, Preference, Source, example, preferences


def examples_of(training_set: TrainingSet) -> Iterator[tuple[TrainingItem, Example | Preference]]:
    """Every example with the item it was made of, by the items' numbers, then by side and turn.

    A dialogue that makes no example from one of its sides is left out there, as the set's counts say.
    """
    recipe = Recipe.of(training_set.recipe)
    rows = training_set.items.select_related("dialogue", "worse")
    for item in in_pages(rows):
        for made in rendered(item, recipe):
            yield item, made


def rendered(item: TrainingItem, recipe: Recipe) -> Iterator[Example | Preference]:
    """The examples of one item, from each side of the recipe that makes one."""
    for attempt in attempts(item, recipe):
        if not isinstance(attempt, NotRenderedError):
            yield from attempt


def attempts(item: TrainingItem, recipe: Recipe) -> Iterator[Sequence[Example | Preference] | NotRenderedError]:
    """For each side of the recipe what one item makes from it, or why it makes nothing."""
    source = source_of(item, item.dialogue)
    worse = source_of(item, item.worse) if item.worse else None
    for side in recipe.sides:
        try:
            if worse:
                shared = recipe.shared_words_only
                yield list(preferences(source, worse, side, recipe.form, shared_words_only=shared))
            else:
                yield [example(source, side, recipe.form)]
        except NotRenderedError as error:
            yield error


def source_of(item: TrainingItem, dialogue: Dialogue) -> Source:
    return Source(
        dialogue.key,
        item.background,
        dialogue.version_id,
        Transcript.of(dialogue.messages),
        item.theme,
        tuple(item.traits_1),
        tuple(item.traits_2),
    )


def canonical_line(item: TrainingItem, made: Example | Preference) -> str:
    """One example as a line of JSON, the same on every database; `TrainingSet.sha256` is the hash of all lines."""
    # `asdict` would copy every turn, which costs more than writing it.
    told = {one.name: getattr(made, one.name) for one in fields(made)}
    return json.dumps({"split": item.split, **told}, ensure_ascii=False, sort_keys=True) + "\n"
