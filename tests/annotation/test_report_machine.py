"""A seeded share of the report's state machine; `long_report` runs more by hand.

The machine's invariants assert: a report that differs fails the run of the machine, and so the test.
"""

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.annotation.report_machine import ReportMachine

pytestmark = pytest.mark.django_db
RUNS = int(os.environ.get("REPORT_MACHINE_RUNS", "5"))
STEPS = int(os.environ.get("REPORT_MACHINE_STEPS", "12"))


@pytest.mark.timeout(0)
def test_whatever_happens_a_kept_report_says_what_a_new_one_says() -> None:
    chosen = settings(
        max_examples=RUNS,
        stateful_step_count=STEPS,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
        database=None,
    )
    run_state_machine_as_test(ReportMachine, settings=chosen)
