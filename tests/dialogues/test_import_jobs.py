"""Imports by a worker: told, stopped, begun anew, and all or nothing."""

import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from dialogues import import_jobs, importing, uploads
from dialogues.importing import ImportRefusedError, Source
from dialogues.models import AuditEvent, Corpus, Dialogue, ImportJob
from tests.dialogues.files import bring_in, line, write

pytestmark = pytest.mark.django_db
FORM = {"file_format": "auto"}
FILE = "".join(line(f"d{number}") for number in range(30))


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, settings: Settings) -> None:
    settings.DATA_DIR = tmp_path


@pytest.fixture(autouse=True)
def every_file_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_jobs, "LARGE", 0)
    monkeypatch.setattr(import_jobs, "TOLD_EVERY", timedelta(0))
    monkeypatch.setattr(importing, "BATCH", 10)


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The jobs that workers were told about."""
    keys: list[int] = []
    monkeypatch.setattr("dialogues.tasks.wake", keys.append)
    return keys


def ordered(client: Client, content: str = FILE, **fields: Any) -> ImportJob:
    """The job that confirming an upload of this file makes."""
    where = client.post("/corpora/import/", {"file": SimpleUploadedFile("large.jsonl", content.encode())} | FORM).url
    answer = client.post(where, {"name": "Large", **fields})
    job = ImportJob.objects.get()
    assert answer.url == f"/corpora/imports/{job.pk}/"
    return job


def stored() -> tuple[int, int]:
    return Corpus.objects.count(), Dialogue.objects.count()


def killed(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_a_large_file_is_left_to_a_worker_and_told_once(
    researcher: Client, woken: list[int], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        job = ordered(researcher, licence="CC0")
        again = researcher.get(f"/corpora/import/{job.token}/")
    assert (woken, stored(), again.url) == ([job.pk], (0, 0), job.get_absolute_url())
    assert "Waiting for a worker" in researcher.get(job.get_absolute_url()).text
    assert "Importing <bdi>Large</bdi>" in researcher.get("/corpora/").text


def test_the_worker_makes_the_corpus_and_the_page_goes_there(researcher: Client) -> None:
    job = ordered(researcher, licence="CC0", description="Many.")
    import_jobs.work(job.pk)
    corpus = Corpus.objects.get()
    assert (corpus.name, corpus.licence, corpus.description, corpus.is_scratch) == ("Large", "CC0", "Many.", False)
    assert corpus.dialogues.count() == 30
    assert AuditEvent.objects.get().actor == corpus.created_by
    assert researcher.get(job.get_absolute_url()).url == corpus.get_absolute_url()
    asked_again = researcher.get(job.get_absolute_url(), headers={"HX-Request": "true"})
    assert asked_again["HX-Redirect"] == corpus.get_absolute_url()
    assert list(uploads.folder().glob("*")) == []


def test_while_it_is_stored_the_corpus_is_in_no_list_and_the_page_tells_how_far_it_is(
    researcher: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = ordered(researcher)
    seen: list[tuple[int, bool, bool, int]] = []

    def look(pk: int) -> None:
        job.refresh_from_db()
        page = researcher.get(job.get_absolute_url()).text
        listed = Corpus.objects.listed().exists()
        seen.append((Dialogue.objects.count(), listed, "Reading and storing" in page, job.read_bytes))

    insert = importing._insert

    def watched(corpus: Corpus, batch: Any) -> None:
        insert(corpus, batch)
        look(job.pk)

    monkeypatch.setattr(importing, "_insert", watched)
    import_jobs.work(job.pk)
    assert [row[:3] for row in seen] == [(10, False, True), (20, False, True), (30, False, True)]
    assert seen[-1][3] > 0


def test_stopping_keeps_nothing_and_the_file_can_be_confirmed_again(researcher: Client, woken: list[int]) -> None:
    job = ordered(researcher)
    insert = importing._insert
    with pytest.MonkeyPatch.context() as patch:

        def stopped_behind_the_first_batch(corpus: Corpus, batch: Any) -> None:
            insert(corpus, batch)
            researcher.post(f"/corpora/imports/{job.pk}/stop/")

        patch.setattr(importing, "_insert", stopped_behind_the_first_batch)
        import_jobs.work(job.pk)
    assert stored() == (0, 0)
    assert "Nothing of the file was kept" in researcher.get(job.get_absolute_url()).text
    researcher.post(f"/corpora/import/{job.token}/", {"name": "Large"})
    import_jobs.work(job.pk)
    assert stored() == (1, 30)


def test_a_job_is_done_by_one_worker_only(researcher: Client) -> None:
    job = ordered(researcher)
    ImportJob.objects.update(state=ImportJob.State.RUNNING, told_at=timezone.now())
    import_jobs.work(job.pk)
    assert stored() == (0, 0)


def test_what_a_dead_worker_left_is_removed_and_its_job_begun_anew(
    researcher: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = ordered(researcher)
    with monkeypatch.context() as patch:
        # A killed process cleans up nothing.
        patch.setattr(importing, "remove", lambda corpus: None)
        patch.setattr(importing, "_show", killed)
        with pytest.raises(KeyboardInterrupt):
            import_jobs.work(job.pk)
    assert (stored(), Corpus.objects.listed().count(), import_jobs.silent_jobs()) == ((1, 30), 0, [])
    ImportJob.objects.update(told_at=timezone.now() - timedelta(minutes=3))
    assert import_jobs.silent_jobs() == [job.pk]
    import_jobs.work(job.pk)
    assert (stored(), Corpus.objects.listed().count()) == ((1, 30), 1)


def test_a_fault_of_the_program_ends_the_job_and_the_page_says_so(
    researcher: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = ordered(researcher)
    monkeypatch.setattr(importing, "_show", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        import_jobs.work(job.pk)
    assert stored() == (0, 0)
    assert "The program failed at this file" in researcher.get(job.get_absolute_url()).text


def test_a_job_that_the_database_left_alone_is_begun_anew(researcher: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object, **__: object) -> None:
        raise OperationalError("the connection is lost")

    job = ordered(researcher)
    monkeypatch.setattr(importing, "_show", gone)
    with pytest.raises(OperationalError):
        import_jobs.work(job.pk)
    ImportJob.objects.update(told_at=timezone.now() - timedelta(minutes=3))
    assert import_jobs.silent_jobs() == [job.pk]


def test_a_second_job_of_the_same_name_leaves_the_first_one_alone(researcher: Client) -> None:
    first = ordered(researcher)
    insert = importing._insert
    with pytest.MonkeyPatch.context() as patch:

        def while_the_second_begins(corpus: Corpus, batch: Any) -> None:
            patch.setattr(importing, "_insert", insert)
            ImportJob.objects.create(
                token="another-token-of-another-file",
                plan={**first.plan, "sha256": "1" * 64},
                total_bytes=1,
                created_by=first.created_by,
            )
            path = uploads.path_of("another-token-of-another-file")
            path.write_text(line("other"))
            import_jobs.work(ImportJob.objects.latest("pk").pk)
            insert(corpus, batch)

        patch.setattr(importing, "_insert", while_the_second_begins)
        import_jobs.work(first.pk)
    assert stored() == (1, 30)
    second = ImportJob.objects.latest("pk")
    assert (second.state, second.problem[:40]) == ("refused", "A corpus named “Large” is being imported")


def test_many_more_uploads_leave_a_file_alone_that_waits_for_a_worker(researcher: Client) -> None:
    job = ordered(researcher)
    for number in range(12):
        upload = SimpleUploadedFile(f"{number}.jsonl", line(f"other{number}").encode())
        researcher.post("/corpora/import/", {"file": upload} | FORM)
    import_jobs.work(job.pk)
    assert stored() == (1, 30)


def test_what_no_job_will_finish_is_removed_after_an_hour(tmp_path: Path) -> None:
    corpus = bring_in(tmp_path, FILE).corpus
    Corpus.objects.filter(pk=corpus.pk).update(is_scratch=True, sha256=None, filled_at=timezone.now())
    assert importing.remove_abandoned(timezone.now()) == 0
    assert importing.remove_abandoned(timezone.now() + timedelta(hours=2)) == 1
    assert stored() == (0, 0)


def test_a_refusal_is_told_on_the_page(researcher: Client, tmp_path: Path) -> None:
    job = ordered(researcher)
    bring_in(tmp_path, line("other"), name="Large")
    import_jobs.work(job.pk)
    page = researcher.get(job.get_absolute_url())
    assert "A corpus named “Large” exists" in page.text
    assert stored() == (1, 1)


def test_an_upload_that_is_gone_is_told(researcher: Client) -> None:
    job = ordered(researcher)
    uploads.forget(job.token)
    import_jobs.work(job.pk)
    assert "Choose the file again" in researcher.get(job.get_absolute_url()).text


def test_a_name_is_taken_while_its_file_is_being_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused: list[str] = []

    def second(read: int) -> None:
        with pytest.raises(ImportRefusedError) as error:
            bring_in(tmp_path / "other", line("x"), name="Large")
        refused.append(str(error.value))

    (tmp_path / "other").mkdir()
    path = write(tmp_path, FILE)
    importing.import_file(Source(path, path.name), name="Large", by=None, progress=second)
    assert refused[0].startswith("A corpus named “Large” is being imported")


def test_a_rater_neither_sees_nor_stops_an_import(researcher: Client, rater: Client) -> None:
    job = ordered(researcher)
    assert rater.get(job.get_absolute_url()).status_code == 403
    assert rater.post(f"/corpora/imports/{job.pk}/stop/").status_code == 403
    job.refresh_from_db()
    assert job.is_open


def test_a_file_that_waits_for_a_worker_outlives_a_day(researcher: Client) -> None:
    job = ordered(researcher)
    other = uploads.path_of("somebody-elses-old-upload")
    other.write_text("old")
    for path in (other, uploads.path_of(job.token)):
        os.utime(path, (time.time() - 2 * uploads.KEPT_SECONDS,) * 2)
    uploads.clean()
    assert not other.exists()
    assert uploads.path_of(job.token).exists()
