"""The exact messages of a call, rebuilt from what the database holds.

Prompts and example sets are frozen and dialogues never change, so the same call always builds the same request;
`Call.request_sha256` proves it.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache, reduce
from operator import or_
from typing import Any

from django.db.models import Prefetch, Q, prefetch_related_objects

from dialogues.models import Dialogue
from dialogues.transcript import Transcript
from generation import prompts
from generation.background import inherited_backgrounds, run_backgrounds
from generation.models import Background, Call, Endpoint, Example, ExampleKind, Run, RunStage, Stage
from generation.prompts import ChatMessage, PromptText, Shown
from generation.stages import SPECS, Examples, Subject

_ON_BACKGROUND = (Stage.PAIR, Stage.JUDGE)


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent: messages, and parameters, which include the model."""

    messages: list[ChatMessage]
    parameters: dict[str, Any]

    @property
    def sha256(self) -> str:
        return prompts.request_sha256(self.messages, self.parameters)

    @property
    def prompt_tokens(self) -> int:
        """An estimate that errs upwards."""
        return prompts.estimate_tokens(self.messages)

    @property
    def longest_reply(self) -> int:
        """Tokens."""
        return max((self.parameters.get(name, 0) for name in Endpoint.LengthParameter.values), default=0)


def cost(row: RunStage, prompt_tokens: int, completion_tokens: int) -> Decimal:
    """US dollars, to the millionth."""
    return row.endpoint.price(prompt_tokens, completion_tokens, row.price_share)


def worst_cost(row: RunStage, request: Request) -> Decimal:
    return cost(row, request.prompt_tokens, request.longest_reply)


def build(calls: Sequence[Call]) -> list[Request]:
    """One request for each call, in order; load calls with `with_stages`, and with their dialogues."""
    subjects = subjects_of(calls)
    wrong = _wrong_replies(calls)
    examples = {row.pk: examples_of(row) for row in {call.run_stage_id: call.run_stage for call in calls}.values()}
    return [
        _request(call, subject, examples[call.run_stage_id], wrong.get(_place(call)))
        for call, subject in zip(calls, subjects, strict=True)
    ]


def rebuild_messages(call: Call) -> tuple[Request, bool]:
    """What was or will be sent for a call, and whether its hash matches the one recorded when it was sent."""
    request = build([call])[0]
    return request, not call.request_sha256 or call.request_sha256 == request.sha256


def subjects_of(calls: Sequence[Call]) -> list[Subject]:
    """What each call's stage reads: a pair is written on the background of its α, a judge is shown one too.

    That is the theme the run itself made, or the earlier one it was given; else what the dialogue brings along.
    """
    wanted = [call for call in calls if call.stage in _ON_BACKGROUND]
    places = {call.run_id for call in wanted}, {call.dialogue_id for call in wanted}
    makes_themes = any(Stage.THEME in call.run.stages for call in wanted)
    backgrounds = run_backgrounds(*places, made=makes_themes) if wanted else {}
    shown = [
        backgrounds.get((call.run_id, call.dialogue_id)) if call.stage in _ON_BACKGROUND else None for call in calls
    ]
    bare = {call.dialogue_id for call, found in zip(calls, shown, strict=True) if call.run.is_judging and not found}
    inherited = inherited_backgrounds(bare)
    return [_subject(call, found or inherited.get(call.dialogue_id)) for call, found in zip(calls, shown, strict=True)]


def call_seed(call: Call) -> int:
    """A seed of its own for every call, the same whenever the call is sent: 31 bits.

    Writers side by side share it; a later edition asks anew.
    """
    place = f"{call.run.seed}/{call.dialogue_id}/{call.stage}/{call.sample}/{call.repair}"
    if call.run_stage.edition > 1:
        place += f"/{call.run_stage.edition}"
    return int.from_bytes(hashlib.sha256(place.encode()).digest()[:4]) >> 1


def _request(call: Call, subject: Subject, examples: Examples, wrong: Call | None) -> Request:
    row = call.run_stage
    prompt = PromptText(row.prompt.system, row.prompt.user)
    messages = SPECS[Stage(call.stage)].messages(prompt, subject, examples)
    if wrong is not None:
        messages = prompts.repair_messages(messages, wrong.raw_reply, wrong.error)
    return Request(messages, {"model": row.model, "seed": call_seed(call), **row.parameters})


def _subject(call: Call, background: Background | prompts.Background | None) -> Subject:
    source: Dialogue | Background | prompts.Background = background or call.dialogue
    rubric = call.run.rubric
    return Subject(
        call.dialogue.transcript, source.theme, source.traits_1, source.traits_2,
        metrics=rubric.metric_list() if rubric else (), tidy=call.run.tidy_display,
    )  # fmt: skip


Place = tuple[int, int, int, int]


def _place(call: Call) -> Place:
    return (call.run_stage_id, call.dialogue_id, call.sample, call.repair)


def _wrong_replies(calls: Iterable[Call]) -> Mapping[Place, Call]:
    """For each repair call's place, the answered call that it mends."""
    mended = [
        Q(run_stage=call.run_stage_id, dialogue=call.dialogue_id, sample=call.sample, repair=call.repair - 1)
        for call in calls
        if call.repair
    ]
    if not mended:
        return {}
    rows = Call.objects.filter(reduce(or_, mended)).only(
        "run_stage", "dialogue", "sample", "repair", "raw_reply", "error"
    )
    return {(*_place(row)[:3], row.repair + 1): row for row in rows}


def with_stages(calls: Sequence[Call], runs: Mapping[int, Run] | None = None) -> Sequence[Call]:
    """The same calls, sharing one object for each run and each of its stages; `runs`: those already loaded, by key."""
    if runs is None:
        runs = Run.objects.in_bulk({call.run_id for call in calls})
    stages = Prefetch("run_stages", RunStage.objects.select_related("endpoint", "prompt"))
    prefetch_related_objects(list(runs.values()), stages)
    rows = {row.pk: row for run in runs.values() for row in run.run_stages.all()}
    for call in calls:
        call.run, call.run_stage = runs[call.run_id], rows[call.run_stage_id]
    return calls


def examples_of(row: RunStage) -> Examples:
    """The examples of the stage's sets, by kind."""
    if row.run.state == Run.State.DRAFT or row.prompt.frozen_at is None:
        return _examples_now(row)
    return _examples_of_started(row.pk, row.prompt.frozen_at)


@lru_cache(maxsize=256)
def _examples_of_started(stage_pk: int, frozen_at: datetime) -> Examples:
    """The examples of a started run's stage never change, so a process reads them once."""
    return _examples_now(RunStage.objects.get(pk=stage_pk))


def _examples_now(row: RunStage) -> Examples:
    return {ExampleKind(used.kind): _examples(used.pk, used.frozen_at) for used in row.example_sets.all()}


def _examples(set_pk: int, frozen_at: datetime | None) -> tuple[Shown, ...]:
    if frozen_at is not None:
        return _frozen_examples(set_pk, frozen_at)
    return tuple(shown(example) for example in Example.objects.filter(example_set=set_pk))


@lru_cache(maxsize=64)
def _frozen_examples(set_pk: int, frozen_at: datetime) -> tuple[Shown, ...]:
    """A frozen set never changes, so a process reads it once."""
    return _examples(set_pk, None)


def shown(example: Example) -> Shown:
    after = Transcript.of(example.messages_after) if example.messages_after else None
    return Shown(example.theme, example.traits_1, example.traits_2, Transcript.of(example.messages), after)
