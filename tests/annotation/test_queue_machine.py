"""A seeded share of the queue's state machine, small studies in many orders; `long_queue` runs more by hand.

The machine's rules and invariants assert: a broken promise fails the run of the machine, and so the test.
"""

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.annotation.queue_machine import QueueMachine

pytestmark = pytest.mark.django_db
RUNS = int(os.environ.get("QUEUE_MACHINE_RUNS", "25"))
STEPS = int(os.environ.get("QUEUE_MACHINE_STEPS", "30"))
PROFILE = {
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
    "phases": [Phase.generate, Phase.target, Phase.shrink],
    "database": None,
}


@pytest.mark.timeout(0)
def test_whatever_happens_the_queue_keeps_its_promises() -> None:
    run_state_machine_as_test(QueueMachine, settings=settings(max_examples=RUNS, stateful_step_count=STEPS, **PROFILE))


@pytest.mark.timeout(0)
def test_long_and_few_the_same_holds() -> None:
    run_state_machine_as_test(
        QueueMachine, settings=settings(max_examples=max(RUNS // 8, 2), stateful_step_count=STEPS * 3, **PROFILE)
    )
