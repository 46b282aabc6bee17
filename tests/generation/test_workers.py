"""Real worker processes: Celery on its broker, and a runner that is killed in the middle."""

import os
import signal
import subprocess
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from demo.model.faults import DemoSettings
from dialogues.models import Dialogue
from generation.engine import ledger
from generation.models import Call, Run
from tests.demo_server import DemoServer
from tests.generation.processes import HERE, PYTHON, environment, finished, process
from tests.generation.runs import draft, endpoint_at, small_corpus, started, work
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)


def assert_complete(run: Run, size: int) -> None:
    written = Dialogue.objects.filter(output__call__run=run)
    assert Counter(written.values_list("version_id", flat=True)) == {"beta": size, "gamma": size, "stephanie": size}
    assert written.values("origin", "version").distinct().count() == 3 * size
    assert run.backgrounds.count() == size


def wake_workers(data_dir: Path) -> None:
    code = "import django; django.setup(); from generation.tasks import wake_workers; wake_workers()"
    variables = {**environment(data_dir), "DJANGO_SETTINGS_MODULE": "config.settings"}
    subprocess.run([PYTHON, "-c", code], cwd=HERE, env=variables, check=True, timeout=60)


WORKER = ["-m", "celery", "-A", "config", "worker", "-c", "1", "-l", "info"]


def test_a_celery_worker_does_the_whole_run(demo_model: DemoServer, tmp_path: Path) -> None:
    run = started(small_corpus(6), endpoint_at(demo_model.base_url))
    wake_workers(tmp_path)
    with process(WORKER, tmp_path):
        until(finished(run), "the run ends", seconds=90)
    assert_complete(run, 6)


def test_a_worker_that_is_asked_to_stop_brings_its_calls_home_and_takes_no_more(
    demo_model: DemoServer, tmp_path: Path
) -> None:
    demo_model.settings = DemoSettings(seed=7, latency=0.5)
    run = started(small_corpus(60), endpoint_at(demo_model.base_url, max_in_flight=2))
    wake_workers(tmp_path)
    with process(WORKER, tmp_path) as worker:
        until(run.calls.filter(state=Call.State.DONE).exists, "an answer", seconds=90)
        os.kill(worker.pid, signal.SIGTERM)
        until(lambda: worker.poll() is not None, "the worker ends")
    assert not run.calls.filter(state=Call.State.SENT).exists()
    assert run.calls.filter(state=Call.State.TODO).exists()
    assert demo_model.stats()["requests"] == run.calls.filter(state=Call.State.DONE).count()


def test_a_runner_killed_twice_loses_nothing_and_doubles_nothing(demo_model: DemoServer, tmp_path: Path) -> None:
    size = 24
    demo_model.settings = DemoSettings(seed=7, latency=0.3)
    run = draft(small_corpus(size), endpoint_at(demo_model.base_url, max_in_flight=8))
    in_flight_at_kills = 0
    for answered in (8, 36):
        with process(["manage.py", "run", "start", str(run.pk)], tmp_path) as runner:
            done = Call.objects.filter(run=run, state=Call.State.DONE)
            until(lambda done=done, answered=answered: done.count() >= answered, "answers", seconds=90)  # type: ignore[misc]
            os.killpg(runner.pid, signal.SIGKILL)
            runner.wait(10)
        in_flight_at_kills += Call.objects.filter(run=run, state=Call.State.SENT).count()
        assert ledger.recover() == 0
        ledger.recover(now=timezone.now() + timedelta(minutes=5))
        Call.objects.filter(run=run, state=Call.State.TODO).update(not_before=timezone.now())
    work(run)
    assert finished(run)()
    assert_complete(run, size)
    assert demo_model.stats()["requests"] <= 3 * size + in_flight_at_kills
