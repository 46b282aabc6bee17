"""What tests of example sets set up."""

from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from annotation.roles import Role
from dialogues.models import Corpus, Dialogue
from dialogues.transcript import Transcript
from generation.curation.editing import add_example
from generation.curation.versions import make_set
from generation.models import Example, ExampleSet
from tests.dialogues.rows import add_dialogue
from tests.people import client_of, make_user

TALK = [[1, "Hi!"], [2, "Hello."], [2, "How are you?"], [1, "Fine."]]
SPLIT = [[1, "Hi!"], [2, "Hello."], [2, "How"], [2, "are you?"], [1, "Fine."]]


def researcher(name: str = "anna") -> tuple[User, Client]:
    user = make_user(Role.RESEARCHER, name)
    return user, client_of(user)


def draft_set(size: int = 3, kind: str = "step_by_step", name: str = "Mine", **fields: Any) -> ExampleSet:
    """A draft of examples named one, two, three, …"""
    row = make_set(name=name, kind=kind, by=None)
    for number in range(1, size + 1):
        texts = {"messages": [*TALK, [2, f"Number {number}."]]}
        if kind == "further_split":
            texts["messages_after"] = [*SPLIT, [2, f"Number {number}."]]
        add_example(example_set=row, by=None, source="hand", topic=f"topic {number}", **texts, **fields)
    return row


def rewritten(corpus: Corpus, source: Dialogue, version: str = "stephanie") -> Dialogue:
    """A dialogue made from another, of one message more."""
    transcript = Transcript.of([*source.messages, [1, f"One more, as {version}."]])
    lines = {"origin": source.origin or source, "parent": source}
    return add_dialogue(corpus, f"{source.key}/{version}", transcript, version, **lines)


def topics(row: ExampleSet) -> list[str]:
    return list(Example.objects.filter(example_set=row).order_by("position").values_list("topic", flat=True))


def places(row: ExampleSet) -> list[int]:
    return list(Example.objects.filter(example_set=row).order_by("position").values_list("position", flat=True))
