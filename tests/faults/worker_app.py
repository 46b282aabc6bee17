"""The worker and its timer with shorter times, so that what takes minutes or an hour can be seen in seconds."""

import os
from pathlib import Path
from typing import Any

from celery.signals import task_prerun, worker_init

from config.celery import app

VISIBILITY = os.environ.get("FAULTS_VISIBILITY_SECONDS")
RUNNER = os.environ.get("FAULTS_RUNNER_SECONDS")
SWEEP = os.environ.get("FAULTS_SWEEP_SECONDS")

if VISIBILITY:
    app.conf.broker_transport_options = {
        "visibility_timeout": int(VISIBILITY),
        "unacked_restore_interval": 1,
        "unacked_restore_throttle": 1,
    }
if SWEEP:
    app.conf.beat_schedule = {"sweep": {"task": "generation.sweep", "schedule": int(SWEEP)}}


@worker_init.connect
def shorten(**_: Any) -> None:
    """Runners that end often wake the next one often, so that a lost message is noticed."""
    from generation import tasks  # the tables are known only now

    if RUNNER:
        tasks.RUNNER_SECONDS = int(RUNNER)


@task_prerun.connect
def note_what_came_again(task: Any = None, **_: Any) -> None:
    """Leave a line for every message that the broker had handed out before."""
    if (task.request.delivery_info or {}).get("redelivered"):
        with (Path(os.environ["DATA_DIR"]) / "came-again").open("a") as notes:
            notes.write(f"{task.name}\n")
