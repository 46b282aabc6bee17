"""A run that asks one model in several ways, a branch for each, on the same dialogues; further-split alone is one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent, Corpus, Dialogue
from generation import example_sets
from generation.models import Endpoint, ExampleKind, ExampleSet, Prompt, Run, RunDialogue, Stage
from generation.plans.run_plan import NOT_LOADED, Material, PlanError, add_stage, asked_parameters, usual_policy
from generation.plans.schema import KEEP_SHARE, Asked


@dataclass(frozen=True, slots=True)
class Branches(Asked):
    """What is asked, of whom, and about which dialogues.

    `material`: what the last stage shows, one entry for each branch. `chosen`: by dialogue the background to write on,
    None for the dialogue's own. `theme`: given if themes must be written first, once for all branches.
    """

    name: str
    corpus: Corpus
    stage: Stage
    material: Sequence[Material]
    endpoint: Endpoint
    chosen: Mapping[int, int | None]
    theme: Material | None = None
    seed: int = 0
    keep_share: float = KEEP_SHARE.usual


@transaction.atomic
def create_branches(asked: Branches, *, by: Any = None) -> Run:
    """Make the draft; raises PlanError if there is nothing to ask."""
    if not asked.chosen or not asked.material:
        raise PlanError("Choose at least one dialogue.", "dialogues")
    stages = [Stage.THEME, asked.stage] if asked.theme else [asked.stage]
    run = Run.objects.create(
        name=asked.name[:120],
        corpus=asked.corpus,
        stages=stages,
        seed=asked.seed,
        keep_share=asked.keep_share,
        ambiguous_policy=usual_policy([asked.endpoint]),
        budget=asked.budget,
        token_budget=asked.token_budget,
        dialogue_count=len(asked.chosen),
        created_by=by,
    )
    if asked.theme:
        add_stage(run, Stage.THEME, 0, asked.endpoint, asked.theme, parameters(asked, Stage.THEME))
    for branch, material in enumerate(asked.material):
        add_stage(run, asked.stage, branch, asked.endpoint, material, parameters(asked, asked.stage))
    RunDialogue.objects.bulk_create(
        [RunDialogue(run=run, dialogue_id=key, background_id=asked.chosen[key]) for key in sorted(asked.chosen)],
        batch_size=1000,
    )
    AuditEvent.record(by, AuditVerb.RUN_CREATED, run, dialogues=len(asked.chosen), stages=stages)
    return run


def parameters(asked: Branches, stage: Stage) -> dict[str, Any]:
    """What is sent besides messages, model and seed."""
    return asked_parameters(asked.endpoint, stage, asked.max_tokens, asked.temperature)


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
