"""A seeded share of the chat's state machine; CHAT_MACHINE_RUNS and CHAT_MACHINE_STEPS run more by hand."""

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.annotation.chat_machine import ChatMachine

pytestmark = pytest.mark.django_db(transaction=True)
RUNS = int(os.environ.get("CHAT_MACHINE_RUNS", "6"))
STEPS = int(os.environ.get("CHAT_MACHINE_STEPS", "25"))


@pytest.mark.timeout(0)
def test_whatever_happens_a_chat_loses_nothing_and_tells_the_model_what_was_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("annotation.chats.replying.PAUSES", (0.01, 0.01, 0.01))
    found = settings(
        max_examples=RUNS,
        stateful_step_count=STEPS,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
        database=None,
    )
    run_state_machine_as_test(ChatMachine, settings=found)
