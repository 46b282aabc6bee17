"""Making a run that writes, from what a person decided: its stages, endpoints, dialogues and examples."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from django.db import transaction
from django.db.models import Model

from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent, Corpus
from generation import example_sets
from generation.endpoints import structured
from generation.models import Call, Endpoint, ExampleKind, ExampleSet, Prompt, Run, RunDialogue, RunStage, Stage
from generation.plans.choosing import (
    Selection,
    candidates,
    chosen_dialogues,
    shown_backgrounds,
    themes_of,
    without_theme,
)
from generation.plans.schema import KEEP_SHARE, Planned
from generation.prompts import StageName, reply_schema
from generation.reuse import judgements_there
from generation.stages import ORDER, SPECS

NOT_LOADED = (
    "The example sets or prompts are not loaded; load them on the Examples page or by `manage.py example_set load`."
)


class PlanError(ValueError):
    """This run cannot be made; `field` names the form field that is wrong."""

    def __init__(self, message: str, about: str = "") -> None:
        super().__init__(message)
        self.field = about


@dataclass(frozen=True, slots=True)
class Choice(Planned):
    """Everything a person decides about a run that writes.

    `endpoints`: one for the theme stage; for the pair stage one per writer; for further-split none (every writer splits
    its own γ), one for all writers, or one per writer. Sets and prompts that are not given are the newest ones.
    `reuse_themes` takes a theme that an earlier run wrote by the same prompt instead of paying for another.
    """

    name: str
    corpus: Corpus
    endpoints: Mapping[Stage, Sequence[Endpoint]]
    selection: Selection = field(default_factory=Selection)
    stages: Sequence[Stage] = ORDER
    seed: int = 0
    sets: Mapping[ExampleKind, ExampleSet] = field(default_factory=dict)
    prompts: Mapping[Stage, Prompt] = field(default_factory=dict)
    keep_share: float = KEEP_SHARE.usual
    reuse_themes: bool = False


@dataclass(frozen=True, slots=True)
class AlreadyThere:
    """What a run need not pay for."""

    themes: int  # taken from earlier runs
    judgements: int  # given before by the same judge
    answered: int  # calls of this run that have their answer


@transaction.atomic
def create_run(choice: Choice, *, by: Any = None) -> Run:
    """Make a draft and choose its dialogues; raises PlanError."""
    stages = [stage for stage in ORDER if stage in choice.stages]
    _check_stages(stages)
    who = answering(stages, choice.endpoints)
    if choice.use_batch:
        check_batches([endpoint for endpoints in who.values() for endpoint in endpoints])
    material = _material(stages, choice)
    left_out = _examples_that_fit(choice, material)
    keys = chosen_dialogues(choice.corpus, choice.selection, choice.seed, left_out)
    if left_out and not keys:
        raise PlanError("Every dialogue that fits is among the examples that the run shows. Choose others.", "corpus")
    themes: dict[int, int] = {}
    if Stage.THEME in stages and choice.reuse_themes:
        writer = who[Stage.THEME][0]
        asked = asked_parameters(writer, Stage.THEME, choice.max_tokens, choice.temperature)
        themes = themes_of(keys, stage_row(Stage.THEME, writer, material[Stage.THEME].prompt, asked))
    keys = _worth_taking(stages, keys, themes)
    everyone = [endpoint for endpoints in who.values() for endpoint in endpoints]
    run = Run.objects.create(
        name=choice.name,
        corpus=choice.corpus,
        stages=stages,
        seed=choice.seed,
        keep_share=choice.keep_share,
        ambiguous_policy=choice.ambiguous_policy or usual_policy(everyone),
        budget=choice.budget,
        token_budget=choice.token_budget,
        dialogue_count=len(keys),
        examples_left_out=len(left_out),
        created_by=by,
    )
    for stage in stages:
        for branch, endpoint in enumerate(who[stage]):
            parameters = asked_parameters(endpoint, stage, choice.max_tokens, choice.temperature)
            add_stage(run, stage, branch, endpoint, material[stage], parameters, use_batch=choice.use_batch)
    chosen = [RunDialogue(run=run, dialogue_id=key, background_id=themes.get(key)) for key in keys]
    RunDialogue.objects.bulk_create(chosen, batch_size=1000)
    AuditEvent.record(
        by, AuditVerb.RUN_CREATED, run, dialogues=len(keys), stages=stages, examples_left_out=sorted(left_out),
        with_examples=choice.selection.with_examples,
    )  # fmt: skip
    return run


@dataclass(frozen=True, slots=True)
class Material:
    """What a stage shows a model."""

    prompt: Prompt
    sets: Sequence[ExampleSet] = ()


def add_stage(
    run: Run,
    stage: Stage,
    branch: int,
    endpoint: Endpoint,
    material: Material,
    parameters: Mapping[str, Any],
    *,
    use_batch: bool = False,
) -> RunStage:
    """Store who answers a stage and what they are shown; in batches if those are wanted and offered."""
    row = stage_row(stage, endpoint, material.prompt, parameters)
    row.run, row.branch, row.use_batch = run, branch, use_batch and endpoint.supports_batch
    row.save()
    row.example_sets.set(material.sets)
    return row


def stage_row(stage: Stage, endpoint: Endpoint, prompt: Prompt, parameters: Mapping[str, Any]) -> RunStage:
    """A stage row that is not stored and belongs to no run."""
    return RunStage(stage=stage, endpoint=endpoint, model=endpoint.model, prompt=prompt, parameters=dict(parameters))


def asked_parameters(endpoint: Endpoint, stage: Stage, max_tokens: int, temperature: float | None) -> dict[str, Any]:
    """What a writing stage sends besides messages, model and seed, with the schema of its reply."""
    found = parameters_for(endpoint, max_tokens, temperature)
    return found | schema_parameters(endpoint, stage, reply_schema(cast(StageName, stage.value)))


def parameters_for(endpoint: Endpoint, max_tokens: int, temperature: float | None) -> dict[str, Any]:
    """What is sent besides messages, model and seed; the length limit has the name that the endpoint understands."""
    found: dict[str, Any] = {endpoint.length_parameter: max_tokens}
    return found if temperature is None else {**found, "temperature": temperature}


def schema_parameters(endpoint: Endpoint, name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that hold a reply to a JSON schema, in the form that the endpoint honours; empty if in none."""
    return structured.parameters(endpoint.structured_output, name, schema)


def usual_policy(endpoints: Iterable[Endpoint]) -> str:
    """The default for unanswered calls: send them again only if all calls are free."""
    free = all(endpoint.is_free for endpoint in endpoints)
    return Run.AmbiguousPolicy.RESEND if free else Run.AmbiguousPolicy.HOLD


def answering(
    stages: Sequence[Stage], endpoints: Mapping[Stage, Sequence[Endpoint]]
) -> dict[Stage, Sequence[Endpoint]]:
    """The endpoint of every stage and branch; raises PlanError."""
    found: dict[Stage, Sequence[Endpoint]] = {stage: list(endpoints.get(stage, ())) for stage in stages}
    writers = found.get(Stage.PAIR, [])
    if len({endpoint.pk for endpoint in writers}) < len(writers):
        raise PlanError("A writer is named twice. Choose each endpoint once.", "endpoint")
    if Stage.FURTHER_SPLIT in found:
        splitters = found[Stage.FURTHER_SPLIT] or writers
        if len(splitters) not in (1, len(writers)):
            raise PlanError("For further-split choose one endpoint, or as many as there are writers.", "endpoint")
        found[Stage.FURTHER_SPLIT] = [*splitters] * len(writers) if len(splitters) == 1 else splitters
    for stage, chosen in found.items():
        if not chosen:
            raise PlanError(f"Choose an endpoint for {stage.label}.", "endpoint")
    if len(found.get(Stage.THEME, [])) > 1:
        raise PlanError("One model writes the themes, so that all writers have the same: choose one.", "endpoint")
    return found


def already_there(run: Run) -> AlreadyThere:
    """What exists before anything (more) is sent."""
    themes = 0 if run.is_judging else run.chosen.filter(background__isnull=False).count()
    judgements = judgements_there(run) if run.is_judging else 0
    return AlreadyThere(themes, judgements, run.calls.filter(state=Call.State.DONE).count())


def _material(stages: Sequence[Stage], choice: Choice) -> dict[Stage, Material]:
    """Prompt and example sets of each stage; raises PlanError if some are not loaded."""
    prompts = {Stage(row.stage): row for row in example_sets.newest_prompts(stages)} | dict(choice.prompts)
    sets = {**example_sets.newest_sets(), **choice.sets}
    wanted = {kind for stage in stages for kind in SPECS[stage].kinds}
    if not set(stages) <= set(prompts) or not wanted <= set(sets):
        raise PlanError(NOT_LOADED, "stages")
    _check_fits(((prompts[stage], prompts[stage].stage == stage, stage.label) for stage in stages), "prompts")
    _check_fits(((sets[kind], sets[kind].kind == kind, kind.label) for kind in wanted), "sets")
    return {stage: Material(prompts[stage], [sets[kind] for kind in SPECS[stage].kinds]) for stage in stages}


def _examples_that_fit(choice: Choice, material: Mapping[Stage, Material]) -> set[int]:
    """Dialogues that fit the selection but are left out: a model must not be tested on what it is shown."""
    if choice.selection.with_examples:
        return set()
    shown = shown_backgrounds(choice.corpus, [used for row in material.values() for used in row.sets])
    return set(candidates(choice.corpus, choice.selection).filter(pk__in=shown).values_list("pk", flat=True))


def _check_fits(rows: Iterable[tuple[Model, bool, str]], about: str) -> None:
    for row, fits, wanted in rows:
        if not fits:
            raise PlanError(f"{row} is not made for {wanted}.", about)


def _worth_taking(stages: Sequence[Stage], keys: list[int], themes: Mapping[int, int]) -> list[int]:
    """The chosen dialogues that still need work; raises PlanError if there are none."""
    if not keys:
        raise PlanError("No original dialogue of the corpus fits the selection.", "corpus")
    if Stage.THEME not in stages:
        bare = len(without_theme(keys))
        if bare:
            raise PlanError(f"{bare} of the chosen dialogues have no theme: choose the theme stage too.", "stages")
    if list(stages) == [Stage.THEME]:
        keys = [key for key in keys if key not in themes]
        if not keys:
            raise PlanError("Every chosen dialogue has its theme already; there is nothing to pay for.", "reuse_themes")
    return keys


def check_batches(endpoints: Sequence[Endpoint]) -> None:
    """Raises PlanError if none of them offers batches."""
    if not any(endpoint.supports_batch for endpoint in endpoints):
        names = " and ".join(dict.fromkeys(map(str, endpoints)))
        raise PlanError(f"{names} offers no Batch API, as far as its last check found. Check it again.", "use_batch")


def _check_stages(stages: Sequence[Stage]) -> None:
    if not stages:
        raise PlanError("Choose at least one stage.", "stages")
    if Stage.FURTHER_SPLIT in stages and Stage.PAIR not in stages:
        raise PlanError("Further-split rewrites the γ that the pair stage writes: choose the pair stage too.", "stages")
