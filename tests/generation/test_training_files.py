"""Downloads of training sets: small ones at once, large ones by a worker that tells, stops and begins anew."""

import io
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from dialogues.models import AuditEvent, Corpus, Dialogue
from generation.models import TrainingExport, TrainingSet
from generation.training import export_jobs, tasks
from tests.dialogues.rows import add_dialogue
from tests.generation.training_sets import built_set

pytestmark = pytest.mark.django_db
SAID = [[1, "hi"], [2, "yes"], [2, "always"], [1, "good"]]


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, settings: Settings) -> None:
    settings.DATA_DIR = tmp_path


@pytest.fixture
def made(corpus: Corpus) -> TrainingSet:
    return built_set(corpus, [add_dialogue(corpus, f"d{number}", SAID) for number in range(6)])


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Every set is large; the jobs that workers were told about."""
    keys: list[int] = []
    monkeypatch.setattr(export_jobs, "SMALL", 0)
    monkeypatch.setattr(export_jobs, "TOLD_EVERY", timedelta(0))
    monkeypatch.setattr(tasks, "wake_exporter", keys.append)
    return keys


def files_of(training_set: TrainingSet) -> str:
    return reverse("generation:training_files", args=[training_set.pk])


def asked(client: Client, training_set: TrainingSet, target: str = "") -> HttpResponse:
    return client.post(files_of(training_set), {"target": target}, follow=True)


def content(answer: HttpResponse) -> bytes:
    return b"".join(answer.streaming_content)


def left(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "training-exports").iterdir())


def test_a_small_set_comes_at_once_and_the_download_is_on_record(researcher: Client, made: TrainingSet) -> None:
    answer = asked(researcher, made)
    assert answer["Content-Disposition"] == 'attachment; filename="set-v1.zip"'
    names = zipfile.ZipFile(io.BytesIO(content(answer))).namelist()
    assert {"set-v1/README.md", "set-v1/data/train.parquet", "set-v1/openai/train.jsonl"} <= set(names)
    event = AuditEvent.objects.get(verb="training_set.exported")
    assert event.detail == {"target": "all"}
    again = asked(researcher, made)
    assert TrainingExport.objects.count() == 1
    assert zipfile.ZipFile(io.BytesIO(content(again))).namelist() == names


def test_one_form_alone_is_a_file_of_its_own_with_its_card(researcher: Client, made: TrainingSet) -> None:
    answer = asked(researcher, made, "openai")
    assert answer["Content-Disposition"] == 'attachment; filename="set-v1-openai.zip"'
    names = zipfile.ZipFile(io.BytesIO(content(answer))).namelist()
    assert all(
        name.startswith(("set-v1-openai/openai/", "set-v1-openai/README", "set-v1-openai/man")) for name in names
    )


def test_a_file_prepared_again_has_the_same_bytes(researcher: Client, made: TrainingSet, tmp_path: Path) -> None:
    first = content(asked(researcher, made))
    (tmp_path / "training-exports" / f"{TrainingExport.objects.get().pk}.zip").unlink()
    assert content(asked(researcher, made)) == first


def test_a_form_that_the_set_does_not_have_is_refused_in_a_sentence(researcher: Client, made: TrainingSet) -> None:
    answer = researcher.post(files_of(made), {"target": "trl-preference"}, follow=True)
    assert "no target" in answer.content.decode()
    assert not TrainingExport.objects.exists()


def test_the_page_offers_every_form_and_shows_the_notice(researcher: Client, made: TrainingSet) -> None:
    Corpus.objects.update(personal_data="yes", consent="research only")
    page = researcher.get(files_of(made)).content.decode()
    assert "research only" in page
    for target in ("", "parquet", "openai", "trl-messages", "trl-prompt-completion", "llamafactory", "axolotl"):
        assert f'name="target" value="{target}"' in page


def test_a_large_set_is_prepared_by_a_worker_and_a_second_click_finds_the_first_job(
    researcher: Client,
    made: TrainingSet,
    woken: list[int],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        answers = [asked(researcher, made) for _ in range(2)]
    job = TrainingExport.objects.get()
    assert [answer.redirect_chain[-1][0] for answer in answers] == [job.get_absolute_url()] * 2
    assert woken == [job.pk]
    assert "Waiting for a worker" in researcher.get(job.get_absolute_url()).content.decode()
    export_jobs.work(job.pk)
    page = researcher.get(job.get_absolute_url(), headers={"HX-Request": "true"}).content.decode()
    assert "Download set-v1.zip" in page
    assert "<html" not in page
    assert zipfile.ZipFile(io.BytesIO(content(researcher.get(f"{job.get_absolute_url()}file/")))).testzip() is None


def test_a_stopped_export_ends_at_its_next_word_and_leaves_no_file(
    researcher: Client, made: TrainingSet, woken: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(researcher, made)
    job = TrainingExport.objects.get()
    told = export_jobs._teller

    def stopped(job: TrainingExport) -> object:
        researcher.post(f"{job.get_absolute_url()}stop/")
        return told(job)

    monkeypatch.setattr(export_jobs, "_teller", stopped)
    export_jobs.work(job.pk)
    job.refresh_from_db()
    assert (job.state, left(tmp_path)) == (TrainingExport.State.STOPPED, [])
    assert "Nothing was kept" in researcher.get(job.get_absolute_url()).content.decode()
    assert researcher.get(f"{job.get_absolute_url()}file/").status_code == 404


def test_a_set_that_has_changed_is_refused_on_the_page_of_its_export(
    researcher: Client, made: TrainingSet, tmp_path: Path
) -> None:
    Dialogue.objects.filter(key="d1").update(messages=[[1, "hi"], [2, "no"]])
    page = researcher.post(files_of(made), {"target": ""}, follow=True).content.decode()
    assert "Build the set again" in page
    assert left(tmp_path) == []


def test_an_export_whose_worker_died_is_begun_anew(made: TrainingSet, woken: list[int]) -> None:
    job = export_jobs.ordered(made, "", by=None, wake=woken.append)
    long_ago = timezone.now() - 2 * export_jobs.SILENT_AFTER
    TrainingExport.objects.update(state=TrainingExport.State.RUNNING, told_at=long_ago, started_at=long_ago)
    assert export_jobs.silent_jobs() == [job.pk]
    export_jobs.work(job.pk)
    job.refresh_from_db()
    assert job.state == TrainingExport.State.DONE
    export_jobs.work(job.pk)
    assert export_jobs.silent_jobs() == []


def test_files_go_after_a_day_and_open_exports_stay(made: TrainingSet, tmp_path: Path, woken: list[int]) -> None:
    done = export_jobs.ordered(made, "openai", by=None, wake=woken.append)
    export_jobs.work(done.pk)
    waiting = export_jobs.ordered(made, "", by=None, wake=woken.append)
    export_jobs.remove_old(timezone.now())
    assert left(tmp_path) == [f"{done.pk}.zip"]
    export_jobs.remove_old(timezone.now() + 2 * export_jobs.KEPT)
    assert left(tmp_path) == []
    assert list(TrainingExport.objects.values_list("pk", flat=True)) == [waiting.pk]
