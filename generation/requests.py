"""The exact messages of a call, rebuilt from what the database holds.

Prompts and example sets are frozen and dialogues never change, so the same call always builds the same request:
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

from django.db.models import Q

from dialogues.models import Dialogue
from dialogues.transcript import Transcript
from generation import prompts
from generation.models import Background, Call, Endpoint, Example, ExampleKind, Prompt, Run, Stage
from generation.prompts import ChatMessage, PromptText, Shown
from generation.stages import SPECS, Examples, Subject

MILLION = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent: messages, and parameters with the model among them."""

    messages: list[ChatMessage]
    parameters: dict[str, Any]

    @property
    def sha256(self) -> str:
        return prompts.request_sha256(self.messages, self.parameters)

    @property
    def prompt_tokens(self) -> int:
        """Estimated; errs upwards."""
        return prompts.estimate_tokens(self.messages)

    @property
    def longest_reply(self) -> int:
        """Tokens."""
        return max((self.parameters.get(name, 0) for name in Endpoint.LengthParameter.values), default=0)


def cost(endpoint: Endpoint, prompt_tokens: int, completion_tokens: int) -> Decimal:
    """US dollars, to the millionth."""
    exact = endpoint.price_in * prompt_tokens + endpoint.price_out * completion_tokens
    return (exact / MILLION).quantize(Decimal("0.000001"))


def worst_cost(endpoint: Endpoint, request: Request) -> Decimal:
    return cost(endpoint, request.prompt_tokens, request.longest_reply)


def build(calls: Sequence[Call]) -> list[Request]:
    """One request a call, in order; `run`, `dialogue` and `prompt` should be loaded."""
    subjects = subjects_of(calls)
    wrong = _wrong_replies(calls)
    examples = {run.pk: examples_of(run) for run in {call.run_id: call.run for call in calls}.values()}
    return [
        _request(call, subject, examples[call.run_id], wrong.get(_place(call)))
        for call, subject in zip(calls, subjects, strict=True)
    ]


def rebuild_messages(call: Call) -> tuple[Request, bool]:
    """What was or will be sent for a call, and whether it hashes to what the ledger says was sent."""
    request = build([call])[0]
    return request, not call.request_sha256 or call.request_sha256 == request.sha256


def subjects_of(calls: Sequence[Call]) -> list[Subject]:
    """What each call's stage reads: the run's own background of an α where the theme stage made one."""
    wanted = [call for call in calls if call.stage == Stage.PAIR and Stage.THEME in call.run.stages]
    rows = Background.objects.filter(
        run__in={call.run_id for call in wanted}, dialogue__in=[call.dialogue_id for call in wanted]
    )
    backgrounds = {(row.run_id, row.dialogue_id): row for row in rows}
    return [_subject(call, backgrounds.get((call.run_id, call.dialogue_id))) for call in calls]


def call_seed(call: Call) -> int:
    """A seed of its own for every call, the same whenever the call is sent: 31 bits."""
    place = f"{call.run.seed}/{call.dialogue_id}/{call.stage}/{call.sample}/{call.repair}"
    return int.from_bytes(hashlib.sha256(place.encode()).digest()[:4]) >> 1


def _request(call: Call, subject: Subject, examples: Examples, wrong: Call | None) -> Request:
    prompt = PromptText(call.prompt.system, call.prompt.user)
    messages = SPECS[Stage(call.stage)].messages(prompt, subject, examples)
    if wrong is not None:
        messages = prompts.repair_messages(messages, wrong.raw_reply, wrong.error)
    return Request(messages, {"model": call.run.model, "seed": call_seed(call), **call.run.parameters})


def _subject(call: Call, background: Background | None) -> Subject:
    source: Dialogue | Background = background or call.dialogue
    return Subject(call.dialogue.transcript, source.theme, source.traits_1, source.traits_2)


Place = tuple[int, int, str, int, int]


def _place(call: Call) -> Place:
    return (call.run_id, call.dialogue_id, call.stage, call.sample, call.repair)


def _wrong_replies(calls: Iterable[Call]) -> Mapping[Place, Call]:
    """For each repair call's place, the answered call that it mends."""
    mended = [
        Q(run=call.run_id, dialogue=call.dialogue_id, stage=call.stage, sample=call.sample, repair=call.repair - 1)
        for call in calls
        if call.repair
    ]
    if not mended:
        return {}
    used = ("run", "dialogue", "stage", "sample", "repair", "raw_reply", "error")
    rows = Call.objects.filter(reduce(or_, mended)).only(*used)
    return {(*_place(row)[:4], row.repair + 1): row for row in rows}


def with_runs(calls: Sequence[Call]) -> Sequence[Call]:
    """The same calls, sharing one object for each run and prompt, with endpoint, sets and prompts loaded."""
    sets = ("endpoint", "single_step_set", "step_by_step_set", "further_split_set")
    runs = Run.objects.select_related(*sets).prefetch_related("prompts").in_bulk({call.run_id for call in calls})
    prompt_rows = Prompt.objects.in_bulk({call.prompt_id for call in calls})
    for call in calls:
        call.run, call.prompt = runs[call.run_id], prompt_rows[call.prompt_id]
    return calls


def examples_of(run: Run) -> Examples:
    """The examples of the run's sets, by kind."""
    sets = {
        ExampleKind.SINGLE_STEP: run.single_step_set,
        ExampleKind.STEP_BY_STEP: run.step_by_step_set,
        ExampleKind.FURTHER_SPLIT: run.further_split_set,
    }
    return {kind: _examples(row.pk, row.frozen_at) for kind, row in sets.items() if row is not None}


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
