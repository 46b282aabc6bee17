"""A trial before it costs anything: what is tried, beside what, on which backgrounds, and what was answered before."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, cast

from django.db import IntegrityError, transaction

from dialogues.models import AuditEvent, Dialogue
from generation import example_sets
from generation.engine import lifecycle
from generation.models import (
    Background,
    Endpoint,
    ExampleKind,
    ExampleSet,
    Output,
    Prompt,
    Run,
    RunDialogue,
    Stage,
    Trial,
    TrialArm,
    TrialSubject,
)
from generation.plans.branches import MAX_TOKENS, Branches, create_branches, parameters
from generation.plans.choosing import themes_of
from generation.plans.planning import Material, PlanError
from generation.prompts import PromptError, PromptText, StageName, check_prompt, prompt_sha256
from generation.stages import SPECS
from generation.trials.copies import as_tried, content, copies_of, scratch_corpus, wording_on_trial

MOST_BACKGROUNDS = 5
STAGES = (Stage.PAIR, Stage.FURTHER_SPLIT)
STAGE_OF = {kind: stage for stage in STAGES for kind in SPECS[stage].kinds}
NOT_LOADED = "The example sets or prompts are not loaded; run `manage.py load_examples`."
SAME = "What you try is what runs use now, so there is nothing to set beside it."
NO_OTHER = "There is no other set of this kind yet, so nothing stands beside it."
TRIED, CURRENT = TrialArm.Name.DRAFT, TrialArm.Name.CURRENT


@dataclass(frozen=True, slots=True)
class TrialChoice:
    """Everything a person decides: a set, a wording or both, and one to five dialogues.

    For the pair stage the dialogues are originals, for further-split what is to be split. `once` names the filling-in
    of a form; `again` asks even where the very same was answered before.
    """

    stage: Stage
    endpoint: Endpoint
    dialogues: Sequence[Dialogue]
    example_set: ExampleSet | None = None
    prompt: PromptText | None = None
    seed: int = 0
    temperature: float | None = None
    max_tokens: int = MAX_TOKENS
    budget: Decimal | None = None
    token_budget: int | None = None
    again: bool = False
    once: str = ""


@dataclass(slots=True)
class _Arms:
    material: dict[TrialArm.Name, Material] = field(default_factory=dict)
    why_alone: str = ""


def create_trial(choice: TrialChoice, *, by: Any = None) -> Trial:
    """A trial whose run is a draft, or that needs none; the same form sent twice makes one. Raises PlanError."""
    asked = Trial.objects.filter(created_by=by, once=choice.once)
    if choice.once and (before := asked.first()):
        return before
    try:
        return _create(choice, by)
    except IntegrityError:
        # The other click was faster; nothing of this one is left.
        if choice.once and (before := asked.first()):
            return before
        raise


@transaction.atomic
def start_trial(trial: Trial, *, by: Any = None) -> bool:
    """Start what is to be asked, or go on; False where nothing was to be done. Raises lifecycle.CannotStartError."""
    return trial.own_run is not None and lifecycle.start(trial.own_run, by=by)


@transaction.atomic
def stop_trial(trial: Trial, *, by: Any = None) -> bool:
    """Send nothing more; what is on its way still comes home and is kept."""
    return trial.own_run is not None and lifecycle.pause(trial.own_run, by=by)


@transaction.atomic
def discard_trial(trial: Trial, *, by: Any = None) -> bool:
    """Throw away a trial of which nothing has been sent; False where something was: then it is evidence."""
    if trial.own_run is None or not lifecycle.discard(trial.own_run):
        return False
    AuditEvent.record(by, "trial.discarded", trial)
    trial.delete()
    return True


@transaction.atomic
def _create(choice: TrialChoice, by: Any) -> Trial:
    _check(choice)
    prompt = _wording(choice)
    if choice.example_set is None and prompt is None:
        raise PlanError("This wording is what runs use now. Change it, and try it then.", "user")
    trial = Trial.objects.create(
        stage=choice.stage, example_set=choice.example_set, prompt=prompt, endpoint=choice.endpoint, once=choice.once,
        created_by=by,
    )  # fmt: skip
    copies = copies_of(choice.dialogues)
    TrialSubject.objects.bulk_create(
        TrialSubject(trial=trial, dialogue=copy, source=dialogue)
        for copy, dialogue in zip(copies, choice.dialogues, strict=True)
    )
    arms = _arms(choice, prompt)
    trial.why_alone = arms.why_alone
    trial.save(update_fields=["why_alone"])
    _answer(trial, choice, arms, copies, by)
    AuditEvent.record(by, "trial.created", trial, stage=choice.stage, dialogues=len(copies))
    return trial


def _answer(trial: Trial, choice: TrialChoice, arms: _Arms, copies: Sequence[Dialogue], by: Any) -> None:
    """Give each arm an earlier answer where there is one, and all others one run with a branch each."""
    theme, chosen = _backgrounds(choice, copies)
    asked = Branches(
        name=f"Trial of {trial.what}", corpus=scratch_corpus(), stage=choice.stage, material=(),
        endpoint=choice.endpoint, chosen=chosen, theme=theme, seed=choice.seed, temperature=choice.temperature,
        max_tokens=choice.max_tokens, budget=choice.budget, token_budget=choice.token_budget,
    )  # fmt: skip
    prints = {name: fingerprint(asked, material) for name, material in arms.material.items()}
    found = {} if choice.again or theme else {name: _answered(prints[name], chosen) for name in prints}
    places = {name: (arm.run, arm.branch) for name, arm in found.items() if arm is not None}
    unanswered = [name for name in arms.material if name not in places]
    if unanswered:
        run = create_branches(replace(asked, material=[arms.material[name] for name in unanswered]), by=by)
        places |= {name: (run, branch) for branch, name in enumerate(unanswered)}
    TrialArm.objects.bulk_create(
        TrialArm(
            trial=trial, name=name, run=places[name][0], branch=places[name][1], reused=name not in unanswered,
            fingerprint=prints[name],
        )
        for name in arms.material
    )  # fmt: skip


def fingerprint(asked: Branches, material: Material) -> str:
    """Of everything that decides what an arm sends, themes aside: who, how, what is shown, about which dialogues."""
    shown = {used.kind: [content(row) for row in used.examples.all()] for used in material.sets}
    told = {
        "stage": asked.stage, "endpoint": asked.endpoint.pk, "model": asked.endpoint.model, "seed": asked.seed,
        "parameters": parameters(asked, asked.stage), "keep_share": asked.keep_share,
        "prompt": material.prompt.sha256, "sets": shown, "dialogues": sorted(asked.chosen),
    }  # fmt: skip
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _answered(print_: str, chosen: Mapping[int, int | None]) -> TrialArm | None:
    """The newest arm with this fingerprint that answered for every dialogue, on the same themes."""
    rows = TrialArm.objects.filter(fingerprint=print_, reused=False, run__state=Run.State.FINISHED)
    return next((arm for arm in rows.select_related("run").order_by("-pk") if _fits(arm, chosen)), None)


def _fits(arm: TrialArm, chosen: Mapping[int, int | None]) -> bool:
    calls = {"call__run": arm.run_id, "call__run_stage__branch": arm.branch, "call__stage": arm.run.stages[-1]}
    answered = set(Output.objects.filter(**calls).values_list("call__dialogue_id", flat=True))
    shown = dict(RunDialogue.objects.filter(run=arm.run_id).values_list("dialogue_id", "background_id"))
    shown |= dict(Background.objects.filter(run=arm.run_id).values_list("dialogue_id", "pk"))
    return answered == set(chosen) and shown == dict(chosen)


def _backgrounds(choice: TrialChoice, copies: Sequence[Dialogue]) -> tuple[Material | None, dict[int, int | None]]:
    """The theme stage where it is needed, and each copy's background from an earlier run.

    What is split brings its theme along. A pair is written on the dialogue's own theme, else on the newest that a run
    wrote for it; where one dialogue has neither, all without a run's theme are given one, once for both arms.
    """
    chosen: dict[int, int | None] = dict.fromkeys(copy.pk for copy in copies)
    prompt = next(iter(example_sets.newest_prompts([Stage.THEME])), None)
    if choice.stage == Stage.FURTHER_SPLIT or all(copy.theme for copy in copies):
        return None, chosen
    if prompt is None:
        raise PlanError(NOT_LOADED)
    sources = {copy.pk: dialogue.pk for copy, dialogue in zip(copies, choice.dialogues, strict=True)}
    written = themes_of([*sources, *sources.values()], prompt, choice.endpoint.model)
    for copy in copies:
        rows = [written[key] for key in (copy.pk, sources[copy.pk]) if key in written]
        chosen[copy.pk] = None if copy.theme or not rows else max(rows)
    bare = [copy for copy in copies if not copy.theme and chosen[copy.pk] is None]
    return (Material(prompt) if bare else None), chosen


def _arms(choice: TrialChoice, prompt: Prompt | None) -> _Arms:
    """What is tried, and what runs use now where that is something else."""
    kept = next(iter(example_sets.newest_prompts([choice.stage])), None)
    kinds = SPECS[choice.stage].kinds
    tried = choice.example_set
    current = {kind: current_set(kind, tried) for kind in kinds}
    shown = {kind: tried if tried is not None and tried.kind == kind else current[kind] for kind in kinds}
    if kept is None or None in shown.values():
        raise PlanError(NOT_LOADED)
    arms = _Arms({TRIED: _material(prompt or kept, shown)})
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
    """The newest set of a kind that runs have used; where there is none, the newest other than the one on trial."""
    rows = ExampleSet.objects.listed().filter(kind=kind).order_by("-created_at", "-pk")
    others = rows.exclude(pk=tried.pk) if tried else rows
    return rows.filter(frozen_at__isnull=False).first() or others.filter(examples__isnull=False).first()


def _material(prompt: Prompt, sets: Mapping[ExampleKind, ExampleSet | None]) -> Material:
    return Material(prompt, [as_tried(used) for used in sets.values() if used is not None])


def _says(material: Material) -> tuple[str, list[list[list[object]]]]:
    return material.prompt.sha256, [[content(row) for row in used.examples.all()] for used in material.sets]


def _wording(choice: TrialChoice) -> Prompt | None:
    """The row of the wording on trial; None where it is what runs use now."""
    if choice.prompt is None:
        return None
    newest = next(iter(example_sets.newest_prompts([choice.stage])), None)
    if newest is not None and newest.sha256 == prompt_sha256(choice.prompt):
        return None
    return example_sets.kept_wording(choice.stage, choice.prompt) or wording_on_trial(choice.stage, choice.prompt)


def _check(choice: TrialChoice) -> None:
    """Raises PlanError."""
    if choice.stage not in STAGES:
        raise PlanError(f"{Stage(choice.stage).label} writes no dialogue, so there is nothing to set side by side.")
    if not 1 <= len({dialogue.pk for dialogue in choice.dialogues}) <= MOST_BACKGROUNDS:
        raise PlanError(f"Choose one to {MOST_BACKGROUNDS} dialogues.", "dialogues")
    if choice.stage == Stage.PAIR and any(not dialogue.is_original for dialogue in choice.dialogues):
        raise PlanError("β and γ are written on originals; choose those.", "dialogues")
    tried = choice.example_set
    if tried is not None and STAGE_OF.get(ExampleKind(tried.kind)) != choice.stage:
        raise PlanError(f"{tried} is not made for {Stage(choice.stage).label}.", "example_set")
    if tried is not None and not tried.examples.exists():
        raise PlanError(f"{tried} is empty. Put an example into it first.", "example_set")
    if choice.prompt is not None:
        try:
            check_prompt(cast(StageName, str(choice.stage)), choice.prompt)
        except PromptError as error:
            raise PlanError(f"This wording cannot be used: {error}.", "user") from error
