"""A large file goes through a real broker to a real worker, which can be killed in the middle."""

import os
import signal
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from dialogues import import_jobs, uploads
from dialogues.importing import Options, Source
from dialogues.models import Corpus, Dialogue, ImportJob
from tests.dialogues.files import line, write
from tests.generation.processes import process
from tests.waiting import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.redis]
MANY = 6_000
WORKER = ["-m", "celery", "--app=config", "worker", "--concurrency=1", "--loglevel=warning"]


def waiting_job(folder: Path) -> ImportJob:
    """An upload of so many dialogues, ordered while no worker is up."""
    token = "an-upload-of-many-dialogues"
    path = uploads.path_of(token)
    write(path.parent, "".join(line(f"d{number}") for number in range(MANY)), path.name)
    source = Source(path, "many.jsonl", sha256="0" * 64)
    return import_jobs.ordered(source, token, name="Many", options=Options(), by=None, wake=lambda pk: None)


def is_done() -> bool:
    return ImportJob.objects.get().state == ImportJob.State.DONE


@pytest.mark.timeout(240)
def test_a_worker_killed_in_the_middle_leaves_nothing_and_the_next_imports_all(
    tmp_path: Path, settings: Settings
) -> None:
    settings.DATA_DIR = tmp_path
    job = waiting_job(tmp_path)
    work = f"from dialogues import import_jobs; import_jobs.work({job.pk})"
    with process(["manage.py", "shell", "-c", work], tmp_path) as worker:
        until(Dialogue.objects.exists, "the first batch", seconds=60)
        with suppress(ProcessLookupError):
            os.killpg(worker.pid, signal.SIGKILL)
        worker.wait(10)
    assert Corpus.objects.listed().count() in (0, 1)
    if not is_done():
        assert not Corpus.objects.listed().exists()
        ImportJob.objects.update(told_at=timezone.now() - timedelta(minutes=5))
    # A worker that comes up finds what waits with its first sweep.
    sweep = "from dialogues.tasks import sweep_imports; sweep_imports.delay()"
    with process(WORKER, tmp_path), process(["manage.py", "shell", "-c", sweep], tmp_path):
        until(is_done, "the corpus", seconds=120)
    assert (Corpus.objects.get().name, Dialogue.objects.count()) == ("Many", MANY)
