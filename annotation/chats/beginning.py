"""A new chat: its system message in the mode a person chose, and the budget that its replies are paid from."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from random import SystemRandom
from typing import Any, Literal

from django.contrib.auth.models import User
from django.db import transaction

from annotation.chats.pace import Kind
from annotation.chats.plan import Interruption, Limits
from annotation.chats.setup import Setup
from annotation.models import Assignment, Chat
from dialogues.transcript import Transcript
from generation.models import Endpoint, ExampleKind, ExampleSet, LiveBudget
from generation.training import delimiter as delimiters
from generation.training.recipe import Recipe
from generation.training.rendering import DEFAULT_SYSTEM, Form, Source, system_message

Mode = Literal["trained", "prompted", "plain"]
MODES: dict[Mode, str] = {
    "trained": "As trained: the system message of training, and the delimiter between messages",
    "prompted": "Prompted: told how to send several messages, with five examples",
    "plain": "Plain: as any model answers; one reply is one bubble",
}
EXAMPLES = 5
_INSTRUCTION = """Answer as people type in a private chat on the phone: in several short messages in a row, not in one \
dense one. Write {delimiter} between two messages, and nowhere else. How many there are changes from answer to answer.

Examples of such chats:

{examples}"""


@dataclass(frozen=True, slots=True)
class NewChat:
    """What a person chose. `cap` is in US dollars; None for no limit."""

    endpoint: Endpoint
    title: str
    mode: Mode = "trained"
    delimiter: str = delimiters.DEFAULT
    theme: str = ""
    traits_of_model: Sequence[str] = ()
    traits_of_person: Sequence[str] = ()
    temperature: float = 0.8
    longest_reply: int = 400
    pace: Kind = "typing"
    silence: float = 2.5
    interruption: Interruption = "stop"
    cap: Decimal | None = Decimal(1)
    limits: Limits = field(default_factory=Limits)


class NoExamplesError(Exception):
    """Prompted chats show examples, and there are none."""


@transaction.atomic
def begin(chosen: NewChat, *, by: User) -> Chat:
    """The chat; raises NoExamplesError."""
    return make(chosen, by=by, seed=SystemRandom().randrange(2**31))


def make(
    chosen: NewChat, *, by: User, seed: int, assignment: Assignment | None = None, within: LiveBudget | None = None
) -> Chat:
    """The chat with that seed of its pace, for a place in a study, paid from its own budget and the one it is within.

    Raises NoExamplesError.
    """
    pot = LiveBudget.objects.create(name=f"this chat (“{chosen.title[:80]}”)", budget=chosen.cap, parent=within)
    return Chat.objects.create(
        person=by,
        title=chosen.title,
        endpoint=chosen.endpoint,
        setup=_setup(chosen, seed).as_json(),
        budget=pot,
        assignment=assignment,
    )


def _setup(chosen: NewChat, seed: int) -> Setup:
    endpoint = chosen.endpoint
    parameters: dict[str, Any] = {
        "model": endpoint.model,
        "temperature": chosen.temperature,
        endpoint.length_parameter: chosen.longest_reply,
    }
    return Setup(
        parameters=parameters,
        system=_system(chosen),
        delimiter="" if chosen.mode == "plain" else chosen.delimiter,
        pace=chosen.pace,
        seed=seed,
        silence=chosen.silence,
        interruption=chosen.interruption,
        theme=chosen.theme,
        traits_of_model=tuple(chosen.traits_of_model),
        traits_of_person=tuple(chosen.traits_of_person),
        **asdict(chosen.limits),
    )


def _system(chosen: NewChat) -> str:
    """The model plays speaker 2, as it answers first in training data from that side."""
    traits_1, traits_2 = tuple(chosen.traits_of_person), tuple(chosen.traits_of_model)
    placeholder = Transcript.of([[1, "-"]])
    background = Source("", "", "", placeholder, chosen.theme, traits_1, traits_2)
    told = system_message(background, 2, Form(chosen.delimiter, _template(chosen.endpoint)))
    if chosen.mode != "prompted":
        return told
    examples = "\n\n".join(_written(one, chosen.delimiter) for one in _examples())
    return f"{told}\n\n{_INSTRUCTION.format(delimiter=chosen.delimiter, examples=examples)}"


def _template(endpoint: Endpoint) -> str:
    """Of the system messages that the model was trained with, if it was trained here."""
    run = endpoint.training_runs.select_related("training_set").order_by("-pk").first()
    return Recipe.of(run.training_set.recipe).system if run else DEFAULT_SYSTEM


def has_examples() -> bool:
    """Whether there is anything to show in prompted chats."""
    try:
        return bool(_examples())
    except NoExamplesError:
        return False


def _examples() -> list[Transcript]:
    sets = ExampleSet.objects.choosable(ExampleKind.STEP_BY_STEP)
    found = next((used for used in sets if used.examples.exists()), None)
    if found is None:
        raise NoExamplesError
    return [Transcript.of(example.messages) for example in found.examples.all()[:EXAMPLES]]


def _written(transcript: Transcript, delimiter: str) -> str:
    lines: Iterable[str] = (
        f"{'Person' if turn.speaker == 1 else 'You'}: {delimiter.join(message.text for message in turn.messages)}"
        for turn in transcript.turns()
    )
    return "\n".join(lines)
