"""Making a judge run: who judges which dialogues on which rubric, and how often."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from dialogues.audit import AuditVerb
from dialogues.coverage import left_out
from dialogues.models import AuditEvent, Dialogue, Rubric
from generation import example_sets
from generation.endpoints import structured
from generation.judge_stage import reply_schema
from generation.judgements.selection import Selection, Wanted, select
from generation.models import Endpoint, Prompt, Run, RunDialogue, Stage
from generation.plans.run_plan import Material, PlanError, add_stage, check_batches, parameters_for, usual_policy
from generation.plans.schema import MOST_REPEATS, Planned

MAX_TOKENS = 2000  # of a reply: a judge writes less than a writer


@dataclass(frozen=True, slots=True)
class JudgeChoice(Planned):
    """Everything a person decides about a judge run.

    `repeats`: how many judgements of a dialogue each judge has given in the end. Earlier judgements by the same judge
    (model, address, parameters, prompt, rubric, look of the text) count, unless it is asked `again`.
    """

    name: str
    wanted: Wanted
    judges: Sequence[Endpoint]
    rubric: Rubric
    prompt: Prompt | None = None
    repeats: int = 1
    tidy: bool = True
    again: bool = False
    max_tokens: int = field(default=MAX_TOKENS, kw_only=True)


@transaction.atomic
def create_judge_run(choice: JudgeChoice, *, by: Any = None) -> Run:
    """Make a draft and choose its dialogues; raises PlanError."""
    _check(choice)
    prompt = choice.prompt or next(iter(example_sets.newest_prompts([Stage.JUDGE])), None)
    if prompt is None:
        raise PlanError(
            "The judge's prompt is not loaded; load it on the Examples page or by `manage.py example_set load`.",
            "judges",
        )
    selection = select(choice.wanted)
    _check_selection(choice, selection)
    run = Run.objects.create(
        name=choice.name,
        corpus=choice.wanted.corpus,
        stages=[Stage.JUDGE],
        seed=choice.wanted.seed,
        rubric=choice.rubric,
        repeats=choice.repeats,
        tidy_display=choice.tidy,
        judge_again=choice.again,
        ambiguous_policy=choice.ambiguous_policy or usual_policy(choice.judges),
        budget=choice.budget,
        token_budget=choice.token_budget,
        dialogue_count=len(selection.given),
        created_by=by,
    )
    schema = reply_schema(choice.rubric.metric_list())
    for branch, judge in enumerate(choice.judges):
        parameters = parameters_for(judge, choice.max_tokens, choice.temperature)
        parameters |= structured.parameters(judge.structured_output, "judgement", schema)
        add_stage(run, Stage.JUDGE, branch, judge, Material(prompt), parameters, use_batch=choice.use_batch)
    RunDialogue.objects.bulk_create(
        [RunDialogue(run=run, dialogue_id=one.dialogue, background_id=one.background) for one in selection.given],
        batch_size=1000,
    )
    AuditEvent.record(by, AuditVerb.RUN_CREATED, run, dialogues=len(selection.given), stages=[Stage.JUDGE])
    return run


def versions_left_out(run: Run) -> list[str]:
    """In words, the versions that the run does not judge because few backgrounds have them."""
    read = set(Dialogue.objects.filter(chosen_by__run=run).order_by().values_list("version", flat=True).distinct())
    return left_out(run.corpus.dialogues.all(), read)


def _check(choice: JudgeChoice) -> None:
    if not choice.judges:
        raise PlanError("Choose at least one judge.", "judges")
    models = [judge.model for judge in choice.judges]
    twice = sorted({model for model in models if models.count(model) > 1})
    if twice:
        raise PlanError(f"{twice[0]} is chosen twice; more repeats ask the same judge again.", "judges")
    if choice.use_batch:
        check_batches(choice.judges)
    if not choice.wanted.versions:
        raise PlanError("Choose at least one version.", "versions")
    if not 1 <= choice.repeats <= MOST_REPEATS:
        raise PlanError(f"A judge reads each dialogue 1 to {MOST_REPEATS} times.", "repeats")
    if not choice.rubric.metrics:
        raise PlanError("These questions are empty; choose others.", "rubric")


def _check_selection(choice: JudgeChoice, selection: Selection) -> None:
    if selection.given:
        return
    if selection.without_theme:
        raise PlanError(
            f"{selection.without_theme} backgrounds have no theme, which judges must see. Run the theme stage first.",
            "corpus",
        )
    if selection.incomplete:
        raise PlanError(
            f"None of the {selection.incomplete} backgrounds has all of the chosen versions. Choose fewer versions, or "
            "take incomplete backgrounds too.",
            "versions",
        )
    raise PlanError("The corpus has no dialogue of the chosen versions.", "versions")
