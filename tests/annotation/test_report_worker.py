"""A large report goes through a real broker to a real worker, which can be killed in the middle."""

import os
import signal
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.cache import caches
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from annotation.reports import loading
from annotation.roles import Role
from core import computations
from core.models import Computation
from tests.annotation.rated_study import rated_study
from tests.generation.processes import process
from tests.people import logged_in
from tests.waiting import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.redis]
WORKER = ["-m", "celery", "--app=config", "worker", "--concurrency=1", "--loglevel=warning"]
SWEEP = ["manage.py", "shell", "-c", "from core.tasks import sweep_computations; sweep_computations.delay()"]


def state() -> str:
    return Computation.objects.get().state


@pytest.mark.timeout(240)
def test_a_worker_killed_in_the_middle_is_told_of_and_the_next_makes_the_report(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": str(tmp_path / "results")}
    if "filebased" in settings.CACHES["results"]["BACKEND"]:
        settings.CACHES = {**settings.CACHES, "results": place}
    caches["results"].clear()
    monkeypatch.setattr(loading, "A_SCORE", 1.0)
    # The test has another broker than the workers; a sweep tells them.
    monkeypatch.setattr(computations.current_app, "send_task", lambda *_: None)
    study, client = rated_study(backgrounds=40), logged_in(Role.RESEARCHER)
    page = reverse("study_report", args=[study.pk])
    assert client.get(page).status_code == 202
    compute = f"from annotation.tasks import compute_report; compute_report({Computation.objects.get().pk})"
    with process(["manage.py", "shell", "-c", compute], tmp_path) as worker:
        until(lambda: Computation.objects.get().done, "the first step")
        with suppress(ProcessLookupError):
            os.killpg(worker.pid, signal.SIGKILL)
        worker.wait(10)
    assert state() == Computation.State.RUNNING
    Computation.objects.update(told_at=timezone.now() - timedelta(minutes=5))
    assert "does not answer" in client.get(page).text
    client.post(reverse("computation_again", args=[Computation.objects.get().pk]))
    Computation.objects.update(asked_at=timezone.now() - timedelta(minutes=5))
    with process(WORKER, tmp_path), process(SWEEP, tmp_path):
        until(lambda: state() == Computation.State.DONE, "the report", seconds=120)
    assert 'id="table-comparisons"' in client.get(page).text
