"""Making, starting and stopping a trial: what is tried, on which backgrounds, and what was answered before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from django.db import IntegrityError, transaction

from dialogues.audit import AuditVerb
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
from generation.plans.branches import Branches, create_branches
from generation.plans.choosing import shown_in, themes_of
from generation.plans.run_plan import NOT_LOADED, Material, PlanError, asked_parameters, stage_row
from generation.plans.schema import Asked
from generation.prompts import PromptError, PromptText, StageName, check_prompt, prompt_sha256
from generation.stages import SPECS
from generation.trials.arms import Arms, arms_of, fingerprint
from generation.trials.copies import copies_of, scratch_corpus, wording_on_trial

MOST_BACKGROUNDS = 5
LOOKED_AT = 10  # earlier arms of the same kind
STAGES = (Stage.PAIR, Stage.FURTHER_SPLIT)
STAGE_OF = {kind: stage for stage in STAGES for kind in SPECS[stage].kinds}


@dataclass(frozen=True, slots=True)
class TrialChoice(Asked):
    """Everything a person decides: a set, a wording or both, and one to five dialogues.

    For the pair stage the dialogues are originals, for further-split the γ to split. `once` identifies a filling-in of
    the form; `again` asks even if the same was answered before.
    """

    stage: Stage
    endpoint: Endpoint
    dialogues: Sequence[Dialogue]
    example_set: ExampleSet | None = None
    prompt: PromptText | None = None
    seed: int = 0
    again: bool = False
    once: str = ""


def create_trial(choice: TrialChoice, *, by: Any = None) -> Trial:
    """Make a trial; its run is a draft, or None if all was answered before. The same form sent twice makes one trial.

    Raises PlanError.
    """
    asked = Trial.objects.filter(created_by=by, once=choice.once)
    if choice.once and (before := asked.first()):
        return before
    try:
        return _create(choice, by)
    except IntegrityError:
        # The other click was faster; this one was rolled back.
        if choice.once and (before := asked.first()):
            return before
        raise


@transaction.atomic
def start_trial(trial: Trial, *, by: Any = None) -> bool:
    """Start or resume; False if there was nothing to do. Raises lifecycle.CannotStartError."""
    return trial.own_run is not None and lifecycle.start(trial.own_run, by=by)


@transaction.atomic
def stop_trial(trial: Trial, *, by: Any = None) -> bool:
    """Send nothing more; replies on their way are still kept."""
    return trial.own_run is not None and lifecycle.pause(trial.own_run, by=by)


@transaction.atomic
def discard_trial(trial: Trial, *, by: Any = None) -> bool:
    """Delete a trial that has sent nothing; False if it has: then it is evidence and stays."""
    if trial.own_run is None or not lifecycle.discard(trial.own_run):
        return False
    AuditEvent.record(by, AuditVerb.TRIAL_DISCARDED, trial)
    return True


@transaction.atomic
def _create(choice: TrialChoice, by: Any) -> Trial:
    _check(choice)
    prompt = _wording(choice)
    if choice.example_set is None and prompt is None:
        raise PlanError("Runs already use this wording. Change it before you try it.", "user")
    trial = Trial.objects.create(
        stage=choice.stage, example_set=choice.example_set, prompt=prompt, endpoint=choice.endpoint, once=choice.once,
        created_by=by,
    )  # fmt: skip
    copies = copies_of(choice.dialogues)
    TrialSubject.objects.bulk_create(
        TrialSubject(trial=trial, dialogue=copy, source=dialogue)
        for copy, dialogue in zip(copies, choice.dialogues, strict=True)
    )
    arms = arms_of(choice.stage, choice.example_set, prompt)
    trial.why_alone = arms.why_alone
    trial.save(update_fields=["why_alone"])
    _answer(trial, choice, arms, copies, by)
    shown = shown_in(trial.own_run) if trial.own_run else []
    AuditEvent.record(
        by, AuditVerb.TRIAL_CREATED, trial, stage=choice.stage, dialogues=len(copies), shown_as_examples=len(shown)
    )
    return trial


def _answer(trial: Trial, choice: TrialChoice, arms: Arms, copies: Sequence[Dialogue], by: Any) -> None:
    """Reuse earlier answers for the arms that have one; ask the others in one run, a branch for each."""
    theme, chosen = _backgrounds(choice, copies)
    asked = Branches(
        name=f"Trial of {trial.what}", corpus=scratch_corpus(), stage=choice.stage, material=(),
        endpoint=choice.endpoint, chosen=chosen, theme=theme, seed=choice.seed, temperature=choice.temperature,
        max_tokens=choice.max_tokens, budget=choice.budget, token_budget=choice.token_budget,
    )  # fmt: skip
    prints = {name: fingerprint(asked, material) for name, material in arms.material.items()}
    may_be_there = not choice.again and theme is None
    found = {name: _answered(prints[name], asked) if may_be_there else None for name in prints}
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


def _answered(print_: str, asked: Branches) -> TrialArm | None:
    """The newest arm with this fingerprint that answered for every dialogue, on the same themes."""
    rows = TrialArm.objects.filter(fingerprint=print_, reused=False, run__state=Run.State.FINISHED)
    # Its replies may have been read again with another threshold.
    rows = rows.filter(run__keep_share=asked.keep_share)
    newest = rows.select_related("run").order_by("-pk")[:LOOKED_AT]
    return next((arm for arm in newest if _fits(arm, asked.chosen)), None)


def _fits(arm: TrialArm, chosen: Mapping[int, int | None]) -> bool:
    # A later edition may have used another prompt.
    outputs = Output.objects.filter(call__run=arm.run_id, call__stage=arm.run.stages[-1])
    outputs = outputs.filter(call__run_stage__branch=arm.branch, call__run_stage__edition=1)
    answered = set(outputs.values_list("call__dialogue_id", flat=True))
    shown = dict(RunDialogue.objects.filter(run=arm.run_id).values_list("dialogue_id", "background_id"))
    shown |= dict(Background.objects.filter(run=arm.run_id).values_list("dialogue_id", "pk"))
    return answered == set(chosen) and shown == dict(chosen)


def _backgrounds(choice: TrialChoice, copies: Sequence[Dialogue]) -> tuple[Material | None, dict[int, int | None]]:
    """The theme stage if it is needed, and each copy's background from an earlier run.

    A dialogue to split has its theme. A pair is written on the dialogue's own theme, else on the newest that a run
    wrote for it, asked as this trial would ask. If a dialogue has neither, the theme stage writes one for both arms.
    """
    chosen: dict[int, int | None] = dict.fromkeys(copy.pk for copy in copies)
    prompt = next(iter(example_sets.newest_prompts([Stage.THEME])), None)
    if choice.stage == Stage.FURTHER_SPLIT or all(copy.theme for copy in copies):
        return None, chosen
    if prompt is None:
        raise PlanError(NOT_LOADED)
    sources = {copy.pk: dialogue.pk for copy, dialogue in zip(copies, choice.dialogues, strict=True)}
    asked = asked_parameters(choice.endpoint, Stage.THEME, choice.max_tokens, choice.temperature)
    written = themes_of([*sources, *sources.values()], stage_row(Stage.THEME, choice.endpoint, prompt, asked))
    for copy in copies:
        rows = [written[key] for key in (copy.pk, sources[copy.pk]) if key in written]
        chosen[copy.pk] = None if copy.theme or not rows else max(rows)
    bare = [copy for copy in copies if not copy.theme and chosen[copy.pk] is None]
    return (Material(prompt) if bare else None), chosen


def _wording(choice: TrialChoice) -> Prompt | None:
    """The row of the wording on trial; None if runs use this wording now."""
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
