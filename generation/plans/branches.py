"""A run that asks one model in several ways: a branch for each way, all branches on the same dialogues."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent, Corpus
from generation.models import Endpoint, Run, RunDialogue, Stage
from generation.plans.run_plan import Material, PlanError, add_stage, asked_parameters, usual_policy
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
