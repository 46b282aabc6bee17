"""Fixtures of the generation tests; a file whose run or corpus is another writes its own over them."""

from collections.abc import Iterator

import pytest

from dialogues.models import Corpus
from generation import tasks
from generation.models import Endpoint, Run
from tests.generation.runs import NOWHERE, endpoint_at, small_corpus, started
from tests.generation.scripted_model import ScriptedModel, scripted_model


@pytest.fixture
def corpus(db: None) -> Corpus:
    """Without a dialogue."""
    return Corpus.objects.create(name="Chats")


@pytest.fixture
def endpoint(db: None) -> Endpoint:
    """Nobody answers there."""
    return endpoint_at(NOWHERE)


@pytest.fixture
def run(endpoint: Endpoint) -> Run:
    """Started on three dialogues, with no call sent."""
    return started(small_corpus(3), endpoint)


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    """A provider that answers what a test tells it to."""
    with scripted_model() as server:
        yield server


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """One entry for each time that a worker was woken."""
    woken: list[bool] = []
    monkeypatch.setattr(tasks, "wake_workers", lambda: woken.append(True))
    return woken
