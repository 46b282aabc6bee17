"""The two sides of a trial: what is tried, and what runs use now."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from generation import example_sets
from generation.models import ExampleKind, ExampleSet, Prompt, Stage, TrialArm
from generation.plans.branches import Branches, parameters
from generation.plans.run_plan import NOT_LOADED, Material, PlanError
from generation.stages import SPECS
from generation.trials.copies import as_tried, shown

SAME = "What you try is what runs use now, so there is nothing to set beside it."
NO_OTHER = "There is no other set of this kind yet, so there is nothing to compare it with."
TRIED, CURRENT = TrialArm.Name.DRAFT, TrialArm.Name.CURRENT


@dataclass(slots=True)
class Arms:
    """What each side shows, and why there is only one if that is so."""

    material: dict[TrialArm.Name, Material] = field(default_factory=dict)
    why_alone: str = ""


def arms_of(stage: Stage, tried: ExampleSet | None, prompt: Prompt | None) -> Arms:
    """What is tried, and what runs use now if that differs; raises PlanError."""
    kept = next(iter(example_sets.newest_prompts([stage])), None)
    kinds = SPECS[stage].kinds
    current = {kind: current_set(kind, tried) for kind in kinds}
    chosen = {kind: tried if tried is not None and tried.kind == kind else current[kind] for kind in kinds}
    if kept is None or None in chosen.values():
        raise PlanError(NOT_LOADED)
    arms = Arms({TRIED: _material(prompt or kept, chosen)})
    if None in current.values():
        arms.why_alone = NO_OTHER
        return arms
    beside = _material(kept, current)
    if _says(beside) == _says(arms.material[TRIED]):
        arms.why_alone = SAME
    else:
        arms.material[CURRENT] = beside
    return arms


def current_set(kind: ExampleKind, tried: ExampleSet | None) -> ExampleSet | None:
    """The set that runs use by default; if that is a draft on trial, the newest other set."""
    usual = example_sets.newest_sets().get(kind)
    if usual is not None and (usual != tried or usual.frozen_at is not None):
        return usual
    rows = ExampleSet.objects.listed().filter(kind=kind, examples__isnull=False).order_by("-created_at", "-pk")
    return (rows.exclude(pk=tried.pk) if tried else rows).first()


def _material(prompt: Prompt, sets: Mapping[ExampleKind, ExampleSet | None]) -> Material:
    return Material(prompt, [as_tried(used) for used in sets.values() if used is not None])


def _says(material: Material) -> tuple[str, list[list[list[object]]]]:
    return material.prompt.sha256, [shown(used) for used in material.sets]


def fingerprint(asked: Branches, material: Material) -> str:
    """Hash of everything that decides what an arm sends, except themes."""
    sets = {used.kind: shown(used) for used in material.sets}
    told = {
        "stage": asked.stage, "address": asked.endpoint.base_url, "model": asked.endpoint.model, "seed": asked.seed,
        "parameters": parameters(asked, asked.stage), "keep_share": asked.keep_share,
        "prompt": material.prompt.sha256, "sets": sets, "dialogues": sorted(asked.chosen),
    }  # fmt: skip
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
