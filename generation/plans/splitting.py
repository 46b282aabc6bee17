"""Further-split alone, on existing dialogues: paper §3.2 without writing γ first."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction

from dialogues.models import Dialogue
from generation import example_sets
from generation.models import Endpoint, ExampleKind, ExampleSet, Prompt, Run, Stage
from generation.plans.branches import Branches, create_branches
from generation.plans.run_plan import NOT_LOADED, Material, PlanError


@transaction.atomic
def split_run(
    *,
    dialogues: Sequence[Dialogue],
    endpoint: Endpoint,
    name: str,
    example_set: ExampleSet | None = None,
    prompt: Prompt | None = None,
    seed: int = 0,
    by: Any = None,
) -> Run:
    """Make a draft that splits these dialogues further, in their own corpus; raises PlanError.

    The run writes Stephanie dialogues: each has the given dialogue as `parent` and shares its `origin`. Set and prompt
    default to the newest ones; starting the run (`lifecycle.start`) freezes them.
    """
    corpora = {dialogue.corpus_id: dialogue.corpus for dialogue in dialogues}
    if len(corpora) > 1:
        raise PlanError("These dialogues are of several corpora; a run works in one. Split them corpus by corpus.")
    if not corpora:
        raise PlanError("Choose at least one dialogue to split.", "dialogues")
    asked = Branches(
        name=name,
        corpus=next(iter(corpora.values())),
        stage=Stage.FURTHER_SPLIT,
        material=[split_material(example_set, prompt)],
        endpoint=endpoint,
        chosen=dict.fromkeys((dialogue.pk for dialogue in dialogues), None),
        seed=seed,
    )
    return create_branches(asked, by=by)


def split_material(example_set: ExampleSet | None, prompt: Prompt | None) -> Material:
    """What the further-split stage shows, by default the newest set and prompt; raises PlanError."""
    shown = example_set or example_sets.newest_sets().get(ExampleKind.FURTHER_SPLIT)
    asked = prompt or next(iter(example_sets.newest_prompts([Stage.FURTHER_SPLIT])), None)
    if shown is None or asked is None:
        raise PlanError(NOT_LOADED, "example_set")
    if shown.kind != ExampleKind.FURTHER_SPLIT:
        raise PlanError(f"{shown} holds no pairs of before and after.", "example_set")
    if not shown.examples.exists():
        raise PlanError(f"{shown} is empty; put pairs into it first.", "example_set")
    if asked.stage != Stage.FURTHER_SPLIT:
        raise PlanError(f"{asked} is not made for splitting.", "prompt")
    return Material(asked, [shown])
