"""Several ways of asking the same model side by side: one run, a branch each, every branch on the same dialogues."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction

from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent, Corpus
from generation.models import Endpoint, Run, RunDialogue, Stage
from generation.plans.run_plan import Material, PlanError, add_stage, asked_parameters, usual_policy

MAX_TOKENS = 4096


@dataclass(frozen=True, slots=True)
class Branches:
    """What is asked, of whom, and about which dialogues.

    `material` holds what the last stage shows, one entry a branch. `chosen` maps each dialogue to the background that
    it brings along, or None. `theme` is given where themes have to be written first: once, for all branches.
    """

    name: str
    corpus: Corpus
    stage: Stage
    material: Sequence[Material]
    endpoint: Endpoint
    chosen: Mapping[int, int | None]
    theme: Material | None = None
    seed: int = 0
    temperature: float | None = None
    max_tokens: int = MAX_TOKENS
    keep_share: float = 0.8
    budget: Decimal | None = None
    token_budget: int | None = None


@transaction.atomic
def create_branches(asked: Branches, *, by: Any = None) -> Run:
    """A draft; raises PlanError where there is nothing to ask."""
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
    """What is sent beside messages, model and seed."""
    return asked_parameters(asked.endpoint, stage, asked.max_tokens, asked.temperature)
