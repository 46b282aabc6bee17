"""The pages of endpoints, examples, runs and calls, as a researcher and as a stranger meet them."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent
from generation.endpoints.client import CallError, Trouble
from generation.engine import ledger
from generation.models import Call, Endpoint, ExampleSet, Run, Runner
from generation.watching.progress import progress_of
from tests.demo_server import DemoServer
from tests.generation.runs import NOWHERE, draft, endpoint_at, small_corpus, started, work


def run_form(run_material: Run, **changes: Any) -> dict[str, Any]:
    sets = {f"{row.kind}_set": row.pk for row in run_material.sets_used}
    prompts = {f"{row.stage}_prompt": row.pk for row in run_material.prompts_used}
    endpoint = run_material.endpoints[0].pk
    return {
        "name": "From the form", "corpus": run_material.corpus_id, "theme_endpoint": endpoint, "writers": [endpoint],
        "stages": ["theme", "pair", "further_split"], "sample": "2", "seed": "5", "temperature": "0.7",
        "max_tokens": "4096", "keep_share": "0.8", **sets, **prompts, **changes,
    }  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["endpoints", "endpoint_new", "example_sets", "runs", "run_new"])
def test_a_rater_is_told_why_a_page_is_closed(rater: Client, name: str) -> None:
    response = rater.get(reverse(f"generation:{name}"))
    assert response.status_code == 403
    assert "Your role cannot" in response.content.decode()


@pytest.mark.parametrize("name", ["endpoints", "example_sets", "runs", "run_new"])
def test_an_empty_list_says_what_to_do_next(researcher: Client, name: str) -> None:
    ExampleSet.objects.all().delete()
    body = researcher.get(reverse(f"generation:{name}")).content.decode()
    assert 'class="empty"' in body


def test_a_check_asks_the_model_and_finds_the_demo_out(researcher: Client, demo_model: DemoServer) -> None:
    endpoint = endpoint_at(demo_model.base_url)
    response = researcher.post(reverse("generation:endpoint_check", args=[endpoint.pk]), follow=True)
    body = response.content.decode()
    endpoint.refresh_from_db()
    assert endpoint.check_passed
    assert endpoint.is_demo
    assert "Answered as demo-rules" in body
    assert "demo rules, not a language model" in body


def test_a_check_of_a_dead_address_says_so(researcher: Client) -> None:
    endpoint = endpoint_at(NOWHERE)
    response = researcher.post(reverse("generation:endpoint_check", args=[endpoint.pk]), follow=True)
    assert "could not be reached" in response.content.decode()
    assert not Endpoint.objects.get().check_passed


def test_an_address_inside_is_refused_by_the_form(researcher: Client) -> None:
    fields = {"name": "X", "model": "m", "price_in": 0, "price_out": 0, "max_in_flight": 1, "timeout_seconds": 5}
    url = reverse("generation:endpoint_new")
    response = researcher.post(url, {**fields, "base_url": "http://169.254.169.254/v1"})
    assert response.status_code == 422
    assert "ENDPOINT_ALLOWED_HOSTS" in response.content.decode()


def test_example_sets_are_shown_as_bubbles_and_pairs_side_by_side(researcher: Client) -> None:
    draft(small_corpus(1), endpoint_at(NOWHERE))
    for row in ExampleSet.objects.all():
        body = researcher.get(row.get_absolute_url()).content.decode()
        assert body.count("data-example=") == 5
        assert body.count('<ol class="bubbles') == (10 if row.kind == "further_split" else 5)


def test_planning_shows_the_exact_messages_and_sends_nothing(researcher: Client, heard: list[bool]) -> None:
    material = draft(small_corpus(3), endpoint_at(NOWHERE))
    response = researcher.post(reverse("generation:run_new"), run_form(material), follow=True)
    run = Run.objects.latest("pk")
    body = response.content.decode()
    assert run.state == Run.State.DRAFT
    assert (run.dialogue_count, run.calls.count(), heard) == (2, 0, [])
    assert "6 calls" in body
    assert "i just came back from a long walk" in body


def test_pages_ask_as_much_for_many_dialogues_and_runs_as_for_few(
    researcher: Client, django_assert_max_num_queries: Any
) -> None:
    endpoint, corpus = endpoint_at(NOWHERE), small_corpus(25)
    plan, run = draft(corpus, endpoint), started(corpus, endpoint)
    for _ in range(4):
        started(corpus, endpoint)
    with django_assert_max_num_queries(11):
        assert researcher.get(reverse("generation:runs")).status_code == 200
    with django_assert_max_num_queries(20):
        assert researcher.get(run.get_absolute_url()).status_code == 200
    with django_assert_max_num_queries(52):
        assert researcher.get(plan.get_absolute_url()).status_code == 200


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"stages": ["further_split"]}, "choose the pair stage too"),
        ({"stages": ["pair"]}, "have no theme"),
        ({"stages": []}, "required"),
        ({"max_tokens": "1"}, "greater than or equal to 16"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_in_words(researcher: Client, changes: dict[str, Any], words: str) -> None:
    material = draft(small_corpus(1), endpoint_at(NOWHERE))
    response = researcher.post(reverse("generation:run_new"), run_form(material, **changes))
    assert response.status_code == 422
    assert words in response.content.decode()


@pytest.mark.django_db(transaction=True)
def test_a_double_click_starts_one_run_once(researcher: Client, heard: list[bool]) -> None:
    run = draft(small_corpus(3), endpoint_at(NOWHERE))
    for _ in range(2):
        assert researcher.post(reverse("generation:run_start", args=[run.pk])).status_code == 302
    assert heard == [True]
    assert run.calls.count() == 3
    assert AuditEvent.objects.filter(verb=AuditVerb.RUN_STARTED).count() == 1


def test_pause_and_resume_are_buttons(researcher: Client, heard: list[bool]) -> None:
    run = started(small_corpus(2), endpoint_at(NOWHERE))
    researcher.post(reverse("generation:run_pause", args=[run.pk]))
    body = researcher.get(run.get_absolute_url()).content.decode()
    assert "Paused by the-researcher." in body
    assert "Resume" in body
    researcher.post(reverse("generation:run_start", args=[run.pk]))
    run.refresh_from_db()
    assert run.state == Run.State.RUNNING


def test_a_started_run_cannot_be_discarded_and_a_draft_can(researcher: Client) -> None:
    corpus, endpoint = small_corpus(1), endpoint_at(NOWHERE)
    run, plan = started(corpus, endpoint), draft(corpus, endpoint)
    for row in (run, plan):
        researcher.post(reverse("generation:run_discard", args=[row.pk]))
    assert list(Run.objects.all()) == [run]


@pytest.mark.django_db(transaction=True)
def test_the_run_page_names_why_calls_failed_and_tries_again(
    researcher: Client, demo_model: DemoServer, heard: list[bool]
) -> None:
    run = started(small_corpus(3), endpoint_at(demo_model.base_url))
    Runner.beat("me", timezone.now())
    for call in ledger.claim("me", run.endpoints[0].pk, 1):
        error = CallError(Trouble.REJECTED, "HTTP 400: no")
        ledger.settle("me", [ledger.Settlement(call.pk, call.attempt, error)])
    work(run)
    body = researcher.get(run.get_absolute_url()).content.decode()
    assert "2 of 3 dialogues, 1 failed" in body
    assert "Request rejected by the endpoint" in body
    assert "demo rules, not a language model" in body
    calls = reverse("generation:run_calls", args=[run.pk])
    listed = researcher.get(calls, {"state": "failed", "outcome": "rejected"}).content.decode()
    assert listed.count('<th scope="row">') == 1

    researcher.post(reverse("generation:run_retry", args=[run.pk]))
    work(run)
    assert "3 of 3 dialogues" in researcher.get(run.get_absolute_url()).content.decode()


@pytest.mark.django_db(transaction=True)
def test_a_call_page_leads_from_prompt_to_dialogues(researcher: Client, demo_model: DemoServer) -> None:
    run = started(small_corpus(1), endpoint_at(demo_model.base_url))
    work(run)
    call = Call.objects.get(run=run, stage="pair")
    body = researcher.get(call.get_absolute_url()).content.decode()
    assert "Task: pair" in body
    assert "its hash matches" in body
    assert call.raw_reply[:10] in body.replace("&quot;", '"')
    assert body.count("Stephanie examples v1") == 2
    for output in call.outputs.all():
        assert output.dialogue.get_absolute_url() in body

    Call.objects.filter(pk=call.pk).update(request_sha256="0" * 64)
    assert "does not match its recorded hash" in researcher.get(call.get_absolute_url()).content.decode()


def test_text_of_models_is_shown_as_text(researcher: Client) -> None:
    run = started(small_corpus(1), endpoint_at(NOWHERE))
    call = run.calls.get()
    Call.objects.filter(pk=call.pk).update(
        state="failed", raw_reply="<script>alert(1)</script>", error="<img src=x>", outcome="unparsable"
    )
    for url in (call.get_absolute_url(), run.get_absolute_url()):
        body = researcher.get(url).content.decode()
        assert "<script>alert" not in body
        assert "<img src=x" not in body


def test_held_calls_ask_for_a_decision(researcher: Client, heard: list[bool]) -> None:
    run = started(small_corpus(1), endpoint_at(NOWHERE, price_in=1))
    run.calls.update(state="ambiguous")
    Run.objects.update(state="paused", state_reason="1 call was sent but not answered. Decide.")
    body = researcher.get(run.get_absolute_url()).content.decode()
    assert "Send 1 again" in body
    researcher.post(reverse("generation:run_decide", args=[run.pk]), {"decision": "give-up"})
    run.refresh_from_db()
    assert run.state == Run.State.FINISHED
    assert run.calls.get().state == Call.State.FAILED


def test_the_budget_of_a_paused_run_can_be_raised(researcher: Client) -> None:
    run = started(small_corpus(1), endpoint_at(NOWHERE, price_in=1), budget=1)
    url = reverse("generation:run_budget", args=[run.pk])
    researcher.post(url, {"budget": "2.5"})
    researcher.post(url, {"budget": "lots"})
    run.refresh_from_db()
    assert str(run.budget) == "2.5000"


def test_progress_as_json_has_the_sentence(researcher: Client) -> None:
    run = started(small_corpus(2), endpoint_at(NOWHERE))
    found = json.loads(json.dumps(progress_of(run).as_json()))
    assert found["sentence"].startswith("0 of 2 dialogues")
    assert found["stages"][0] == {
        "key": "theme-0", "stage": "theme", "branch": 0, "model": "demo-rules", "label": "Theme", "total": 2, "done": 0,
        "failed": 0, "in_flight": 0, "waiting": 2, "held": 0, "repaired": 0,
    }  # fmt: skip
