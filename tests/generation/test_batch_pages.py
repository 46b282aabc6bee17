"""Batches in the browser and in a terminal: chosen where they are offered, seen while they are away, cancelled."""

import json
from dataclasses import replace
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from annotation.roles import Role
from demo.model.faults import BatchSettings
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent
from generation import example_sets
from generation.engine import lifecycle, retrying
from generation.models import BatchJob, Call, Endpoint, Judgement, Run
from generation.watching.progress import progress_of
from tests.demo_server import DemoServer
from tests.generation.api import Script
from tests.generation.batched import batched, one_round, until_done
from tests.generation.runs import endpoint_at, fetched, small_corpus, started, work
from tests.people import logged_in

pytestmark = pytest.mark.django_db(transaction=True)


def page(client: Client, run: Run) -> str:
    return client.get(run.get_absolute_url()).content.decode()


def away(server: DemoServer, size: int = 3) -> Run:
    """A run whose first batch is at the provider, which takes its time."""
    run = batched(server, size)
    server.settings = replace(server.settings, batches=BatchSettings(seconds=3600.0))
    one_round()
    return fetched(run)


def test_the_plan_offers_batches_only_where_an_endpoint_does(demo_model: DemoServer) -> None:
    small_corpus()
    example_sets.load_all()
    endpoint_at(demo_model.base_url)
    client = logged_in(Role.RESEARCHER)
    assert 'name="use_batch"' not in client.get(reverse("generation:run_new")).content.decode()
    Endpoint.objects.update(supports_batch=True)
    assert 'name="use_batch"' in client.get(reverse("generation:run_new")).content.decode()


def test_a_batch_at_the_provider_is_seen_on_the_runs_page(demo_model: DemoServer) -> None:
    run = away(demo_model)
    body = page(logged_in(Role.RESEARCHER), run)
    assert "3 calls in 1 batch" in body
    assert "At the provider (in progress)" in body
    assert BatchJob.objects.get().provider_id in body
    assert "Pause the run to cancel" in body


def test_the_progress_of_a_run_without_batches_asks_nothing_more(
    demo_model: DemoServer, django_assert_num_queries: Any
) -> None:
    run = away(demo_model)
    with django_assert_num_queries(4):
        assert progress_of(run).stages
    for row in run.run_stages.all():
        row.use_batch = False
    with django_assert_num_queries(3):
        assert progress_of(run).stages


def test_a_batch_of_a_paused_run_is_cancelled_by_a_button(demo_model: DemoServer) -> None:
    run, client = away(demo_model), logged_in(Role.RESEARCHER)
    url = reverse("generation:batch_cancel", args=[run.pk, BatchJob.objects.get().pk])
    assert "Pause the run first" in client.post(url, follow=True).content.decode()
    lifecycle.pause(run)
    assert f'action="{url}"' in page(client, run)
    assert "asked to end the batch" in client.post(url, follow=True).content.decode()
    one_round()
    assert BatchJob.objects.get().provider_status == "cancelled"
    assert run.calls.filter(state=Call.State.TODO).count() == 3
    assert "no longer has the batch" in client.post(url, follow=True).content.decode()


def test_a_batch_is_cancelled_over_http_and_from_the_command_line(demo_model: DemoServer) -> None:
    run, script = away(demo_model), Script(Role.ADMIN)
    job = BatchJob.objects.get().pk
    assert script.post(f"runs/{run.pk}/batches/{job}/cancel/").status_code == 409
    with pytest.raises(CommandError, match="Pause the run first"):
        call_command("run", "cancel-batch", str(run.pk), str(job))
    lifecycle.pause(run)
    assert script.post(f"runs/{run.pk}/batches/{job + 1}/cancel/").status_code == 404
    with pytest.raises(CommandError, match="has no batch"):
        call_command("run", "cancel-batch", str(run.pk), str(job + 1))
    assert script.post(f"runs/{run.pk}/batches/{job}/cancel/").json()["progress"]["batches"][0]["batch"] == job
    one_round()
    with pytest.raises(CommandError, match="no longer has the batch"):
        call_command("run", "cancel-batch", str(run.pk), str(job))
    assert AuditEvent.objects.filter(verb=AuditVerb.BATCH_CANCELLED).count() == 1


def test_a_batch_of_another_run_is_not_cancelled(demo_model: DemoServer) -> None:
    run = away(demo_model)
    url = reverse("generation:batch_cancel", args=[run.pk + 1, BatchJob.objects.get().pk])
    assert logged_in(Role.RESEARCHER).post(url).status_code == 404


def test_status_tells_a_script_about_batches(demo_model: DemoServer, capsys: pytest.CaptureFixture[str]) -> None:
    run = away(demo_model)
    call_command("run", "status", str(run.pk), "--json")
    found = json.loads(capsys.readouterr().out)
    assert found["in_batch"] == 3
    assert [(job["stage"], job["state"], job["calls"]) for job in found["batches"]] == [("theme", "sent", 3)]


def test_the_command_line_plans_and_sends_in_batches(
    demo_model: DemoServer, capsys: pytest.CaptureFixture[str]
) -> None:
    demo_model.settings = replace(demo_model.settings, batches=BatchSettings(seconds=0.0))
    endpoint_at(demo_model.base_url, supports_batch=True)
    small_corpus(2)
    call_command("load_examples")
    capsys.readouterr()
    call_command("run", "create", "--corpus", "Small", "--writer", "Demo", "--batch", "--start", "--json")
    assert json.loads(capsys.readouterr().out)["state"] == "finished"
    assert demo_model.stats()["batches"] == 3


def test_failed_calls_that_are_tried_again_go_through_batches_too(demo_model: DemoServer) -> None:
    run = batched(demo_model)
    demo_model.settings = replace(demo_model.settings, faults={"unparsable": 1.0})
    run = until_done(run)
    assert run.calls.failed().count() == 6
    demo_model.settings = replace(demo_model.settings, faults={})
    retrying.retry(run)
    assert until_done(run).state == Run.State.FINISHED
    assert demo_model.stats()["most_in_flight"] == 0
    assert run.calls.filter(stage="further_split", outcome="ok").count() == 6


def test_a_judge_goes_through_batches_too(demo_model: DemoServer, capsys: pytest.CaptureFixture[str]) -> None:
    demo_model.settings = replace(demo_model.settings, batches=BatchSettings(seconds=0.0))
    work(started(small_corpus(2), endpoint_at(demo_model.base_url)))
    endpoint_at(demo_model.base_url, name="Judge", supports_batch=True)
    before = demo_model.stats()["batches"]
    capsys.readouterr()
    call_command(
        "run", "judge", "--corpus", "Small", "--judge", "Judge", "--versions", "beta", "gamma", "--batch", "--start",
        "--json",
    )  # fmt: skip
    assert json.loads(capsys.readouterr().out)["state"] == "finished"
    assert demo_model.stats()["batches"] == before + 1
    assert Judgement.objects.values("dialogue").distinct().count() == 4
