"""What a run would do before it costs anything: choose dialogues, see the exact messages, estimate tokens and price."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any

from django.db import transaction
from django.utils import timezone

from dialogues.models import AuditEvent, Corpus, Dialogue
from generation import example_sets, lifecycle
from generation.models import Call, Endpoint, ExampleKind, ExampleSet, Run, RunDialogue, Stage
from generation.requests import Request, build, cost
from generation.stages import ORDER, SPECS

# Tokens in a usual reply, until a run's own replies say better.
USUAL_REPLY = {Stage.THEME: 170, Stage.PAIR: 1200, Stage.FURTHER_SPLIT: 800}
LOOKED_AT = 20  # dialogues an estimate is made from
THEME_TO_COME = (
    "(here stands the theme that the first stage writes: fifty to a hundred words on what the two talk about, in which "
    "situation and in what mood, so that somebody who reads only the theme could write another dialogue on it; its "
    "length is what this note stands for, and the rest of the message is what will be sent)"
)


class PlanError(ValueError):
    """A run that cannot be; `field` names the form field it is about."""

    def __init__(self, message: str, about: str = "") -> None:
        super().__init__(message)
        self.field = about


@dataclass(frozen=True, slots=True)
class Choice:
    """Everything a person decides about a run. `sample` None takes all α of the corpus."""

    name: str
    corpus: Corpus
    endpoint: Endpoint
    stages: Sequence[Stage] = ORDER
    sample: int | None = None
    seed: int = 0
    sets: Mapping[ExampleKind, ExampleSet] = field(default_factory=dict)
    temperature: float | None = None
    max_tokens: int = 4096
    budget: Decimal | None = None
    keep_share: float = 0.8
    ambiguous_policy: str = ""


@dataclass(frozen=True, slots=True)
class StageEstimate:
    stage: Stage
    calls: int
    prompt_tokens: int
    completion_tokens: int
    cost: Decimal


@transaction.atomic
def create_run(choice: Choice, *, by: Any = None) -> Run:
    """A draft with its dialogues chosen; raises PlanError."""
    stages = [stage for stage in ORDER if stage in choice.stages]
    _check_stages(stages)
    prompts = example_sets.newest_prompts(stages)
    sets = {**example_sets.newest_sets(), **choice.sets}
    _check_material(stages, len(prompts), sets)
    keys = chosen_dialogues(choice.corpus, choice.sample, choice.seed)
    _check_dialogues(stages, keys)
    policy = Run.AmbiguousPolicy.RESEND if choice.endpoint.is_free else Run.AmbiguousPolicy.HOLD
    run = Run.objects.create(
        name=choice.name,
        corpus=choice.corpus,
        endpoint=choice.endpoint,
        model=choice.endpoint.model,
        stages=stages,
        parameters=_parameters(choice),
        seed=choice.seed,
        keep_share=choice.keep_share,
        single_step_set=sets[ExampleKind.SINGLE_STEP] if Stage.PAIR in stages else None,
        step_by_step_set=sets[ExampleKind.STEP_BY_STEP] if Stage.PAIR in stages else None,
        further_split_set=sets[ExampleKind.FURTHER_SPLIT] if Stage.FURTHER_SPLIT in stages else None,
        ambiguous_policy=choice.ambiguous_policy or policy,
        budget=choice.budget,
        dialogue_count=len(keys),
        created_by=by,
    )
    run.prompts.set(prompts)
    RunDialogue.objects.bulk_create([RunDialogue(run=run, dialogue_id=key) for key in keys], batch_size=1000)
    AuditEvent.record(by, "run.created", run, dialogues=len(keys), stages=stages)
    return run


def chosen_dialogues(corpus: Corpus, sample: int | None, seed: int) -> list[int]:
    """Keys of the corpus's originals, in order; a sample is the same for the same seed."""
    keys = list(corpus.dialogues.originals().order_by("pk").values_list("pk", flat=True))
    if sample is None or sample >= len(keys):
        return keys
    return sorted(Random(seed).sample(keys, sample))  # noqa: S311 - a reproducible sample, no secret


def preview(run: Run, dialogue: Dialogue | None = None) -> list[tuple[Stage, Request]]:
    """The messages of each stage for one dialogue (the first, unless one is given).

    Exact for the first stage. Later stages read what earlier ones write, so a stand-in takes its place: a note for
    the theme, the α itself for γ.
    """
    alpha = dialogue or Dialogue.objects.filter(chosen_by__run=run).order_by("pk").first()
    return [(stage, _example_requests(run, stage, [alpha])[0]) for stage in run.stage_list] if alpha else []


def estimate(run: Run) -> list[StageEstimate]:
    """Calls, tokens and price a stage, from the first dialogues' messages and usual replies; repairs not counted."""
    alphas = list(Dialogue.objects.filter(chosen_by__run=run).order_by("pk")[:LOOKED_AT])
    return [_stage_estimate(run, stage, alphas) for stage in run.stage_list]


def _stage_estimate(run: Run, stage: Stage, alphas: Sequence[Dialogue]) -> StageEstimate:
    sizes = [request.prompt_tokens for request in _example_requests(run, stage, alphas)]
    prompt_tokens = sum(sizes) * run.dialogue_count // max(1, len(sizes))
    completion_tokens = USUAL_REPLY[stage] * run.dialogue_count
    price = cost(run.endpoint, prompt_tokens, completion_tokens)
    return StageEstimate(stage, run.dialogue_count, prompt_tokens, completion_tokens, price)


def _example_requests(run: Run, stage: Stage, alphas: Sequence[Dialogue]) -> list[Request]:
    prompt, now = lifecycle.prompts_of(run)[stage], timezone.now()
    calls = [
        Call(run=run, dialogue=_stand_in(run, alpha), alpha=alpha, stage=stage, prompt=prompt, not_before=now)
        for alpha in alphas
    ]
    return build(calls)


def _stand_in(run: Run, alpha: Dialogue) -> Dialogue:
    """What a stage reads, as far as it is known before the run."""
    return Dialogue(
        pk=alpha.pk,
        messages=alpha.messages,
        theme=alpha.theme if Stage.THEME not in run.stages else THEME_TO_COME,
        traits_1=alpha.traits_1,
        traits_2=alpha.traits_2,
    )


def _parameters(choice: Choice) -> dict[str, Any]:
    found: dict[str, Any] = {choice.endpoint.length_parameter: choice.max_tokens}
    return found if choice.temperature is None else {**found, "temperature": choice.temperature}


def _check_stages(stages: Sequence[Stage]) -> None:
    if not stages:
        raise PlanError("Choose at least one stage.", "stages")
    if Stage.FURTHER_SPLIT in stages and Stage.PAIR not in stages:
        raise PlanError("Further-split rewrites the γ that the pair stage writes: choose the pair stage too.", "stages")


def _check_material(stages: Sequence[Stage], prompts: int, sets: Mapping[ExampleKind, ExampleSet]) -> None:
    wanted = {kind for stage in stages for kind in SPECS[stage].kinds}
    if prompts < len(stages) or not wanted <= set(sets):
        raise PlanError("The example sets or prompts are not loaded; run `manage.py load_examples`.", "stages")


def _check_dialogues(stages: Sequence[Stage], keys: Sequence[int]) -> None:
    if not keys:
        raise PlanError("The corpus has no original dialogues to write from.", "corpus")
    if Stage.THEME in stages:
        return
    # In handfuls: databases limit how many keys one query may name.
    handfuls = (keys[start : start + 500] for start in range(0, len(keys), 500))
    bare = sum(Dialogue.objects.filter(pk__in=handful, theme="").count() for handful in handfuls)
    if bare:
        raise PlanError(f"{bare} of the chosen dialogues have no theme: choose the theme stage too.", "stages")
