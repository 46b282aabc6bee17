"""What building a training set would do, without writing any of it: the preview, and the first half of building."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from dialogues.models import Corpus, Dialogue
from generation.background import training_backgrounds
from generation.models import TrainingItem
from generation.training.choosing import Chosen, Planned, choose
from generation.training.counts import NO_PREFERENCE, Tally
from generation.training.examples import attempts
from generation.training.recipe import Recipe, RecipeError
from generation.training.rendering import Example, NotRenderedError, Preference
from generation.training.splits import EmptySplitError, split_of

AT_ONCE = 500
SHOWN = 3
# Told how many dialogues are done; may raise to stop.
Tell = Callable[[int], None]


def silent(done: int) -> None:
    """Tell nobody."""


@dataclass(slots=True)
class Survey:
    """`kept` are the items to write, `splits` the split of each background, `looked_at` how many were rendered."""

    recipe: Recipe
    chosen: Chosen
    tally: Tally
    kept: list[Planned] = field(default_factory=list)
    splits: Mapping[str, str] = field(default_factory=dict)
    first: list[Example | Preference] = field(default_factory=list)
    looked_at: int = 0

    @property
    def is_whole(self) -> bool:
        return self.looked_at == len(self.chosen.planned)

    def counts(self) -> dict[str, Any]:
        """What a set stores: drops by filter, and everything of `Tally.as_json`."""
        return {
            "candidates": self.chosen.candidates,
            "filters": [step._asdict() for step in self.chosen.steps],
            **self.tally.as_json(self.splits),
            "labels": {"demo": self.tally.is_demo, "simulated": self.chosen.is_simulated},
        }


def survey(recipe: Recipe, corpus: Corpus, *, most: int | None = None, tell: Tell = silent) -> Survey:
    """Choose, render and count; `most` looks at the first dialogues only. Raises RecipeError."""
    chosen = choose(recipe, corpus)
    found = Survey(recipe, chosen, Tally())
    for planned, item in items_of(chosen.planned[:most]):
        _look_at(found, planned, item)
        if found.looked_at % AT_ONCE == 0:
            tell(found.looked_at)
    _refuse(found)
    found.splits = _split(recipe, found.tally)
    return found


def items_of(planned: Iterable[Planned]) -> Iterator[tuple[Planned, TrainingItem]]:
    """Unsaved items with their dialogues and backgrounds, some hundred at a time."""
    rest = iter(planned)
    while chunk := list(islice(rest, AT_ONCE)):
        keys = {pk for one in chunk for pk in (one.dialogue, one.worse) if pk}
        rows = Dialogue.objects.in_bulk(keys)
        backgrounds = training_backgrounds([rows[one.dialogue] for one in chunk])
        for one in chunk:
            told = backgrounds[one.dialogue]
            yield (
                one,
                TrainingItem(
                    dialogue=rows[one.dialogue],
                    worse=rows[one.worse] if one.worse else None,
                    background=one.background,
                    theme=told.theme,
                    traits_1=list(told.traits_1),
                    traits_2=list(told.traits_2),
                ),
            )


def _look_at(found: Survey, planned: Planned, item: TrainingItem) -> None:
    made: list[Example | Preference] = []
    for attempt in attempts(item, found.recipe):
        if isinstance(attempt, NotRenderedError):
            found.tally.refuse(attempt.kind, planned.key)
        elif not attempt:
            found.tally.refuse(NO_PREFERENCE, planned.key)
        else:
            made += attempt
    found.looked_at += 1
    if made:
        found.kept.append(planned)
        found.first += made[: SHOWN - len(found.first)]
        is_demo = item.dialogue.is_demo or bool(item.worse and item.worse.is_demo)
        found.tally.take(planned.background, planned.version, made, is_demo=is_demo)


def _refuse(found: Survey) -> None:
    """Raise RecipeError where the set cannot be built as it is."""
    held = found.tally.refused.get("delimiter_in_text")
    if held:
        dialogues = "1 dialogue holds" if held.dialogues == 1 else f"{held.dialogues:,} dialogues hold"
        such = f"{dialogues} the delimiter {found.recipe.delimiter!r}, such as {next(iter(held.keys))}."
        raise RecipeError("delimiter", f"{such} Choose another delimiter.")
    if not found.kept:
        raise RecipeError("sides", f"No dialogue makes an example. {_reasons(found.tally)}")


def _reasons(tally: Tally) -> str:
    rows: Sequence[dict[str, Any]] = tally.as_json({})["refused"]
    return " ".join(f"{row['dialogues']:,}: {row['words']}" for row in rows)


def _split(recipe: Recipe, tally: Tally) -> Mapping[str, str]:
    try:
        return split_of(tally.examples.keys(), validation=recipe.validation, test=recipe.test, seed=recipe.seed)
    except EmptySplitError as error:
        raise RecipeError("test", str(error)) from error
