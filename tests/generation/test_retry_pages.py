"""Trying failed calls again from the pages: all, by cause, one, after an edit; and reading replies once more."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from dialogues.models import Dialogue
from generation.models import Call, Prompt, Run, Stage
from tests.generation.calls import PAIR_REPLY
from tests.generation.runs import NOWHERE, endpoint_at, small_corpus
from tests.generation.written_runs import written_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def researcher(researcher: Client, heard: list[bool]) -> Client:
    return researcher


@pytest.fixture
def run() -> Run:
    """Finished, with one theme rejected, one that never came back, and one pair that was not usable."""
    run = written_run(small_corpus(3), endpoint_at(NOWHERE))
    first, second, _ = run.calls.filter(stage="theme").order_by("pk")
    Call.objects.filter(pk=first.pk).update(state="failed", outcome="rejected", raw_reply="", finish_reason="")
    Call.objects.filter(pk=second.pk).update(state="failed", outcome="provider", raw_reply="", finish_reason="")
    pair = run.calls.filter(stage="pair").latest("pk")
    Call.objects.filter(pk=pair.pk).update(state="failed", outcome="unparsable", raw_reply="no json")
    return run


def url(name: str, run: Run) -> str:
    return reverse(f"generation:{name}", args=[run.pk])


def edited(page: Any, **changes: str) -> dict[str, str]:
    """What the edit page's forms hold, with changes."""
    found = {field.html_name: field.value() for form in page.context["forms"] for field in form}
    return {**found, **changes}


def test_the_run_page_offers_each_cause_by_itself(researcher: Client, run: Run) -> None:
    body = researcher.get(run.get_absolute_url()).text
    for label in ("Request rejected by the endpoint", "Endpoint failed 5 times", "Not in the form asked for"):
        assert f'aria-label="Try again: {label}"' in body
    researcher.post(url("run_retry", run), {"cause": "provider"})
    assert list(run.calls.filter(state="todo").values_list("stage", flat=True)) == ["theme"]
    assert run.calls.failed().count() == 2


def test_one_call_is_tried_again_from_its_own_page_and_leads_back_to_it(researcher: Client, run: Run) -> None:
    call = run.calls.get(outcome="rejected")
    assert "Edit the prompt or examples first" in researcher.get(call.get_absolute_url()).text
    there = {"call": call.pk, "next": call.get_absolute_url()}
    response = researcher.post(url("run_retry", run), there)
    assert response["Location"] == call.get_absolute_url()
    assert list(run.calls.filter(state="todo")) == [call]


def test_a_button_leads_to_no_other_site(researcher: Client, run: Run) -> None:
    response = researcher.post(url("run_retry", run), {"next": "https://elsewhere.example/"})
    assert response["Location"] == run.get_absolute_url()


def test_the_edit_page_shows_what_the_failed_stages_show_now(researcher: Client, run: Run) -> None:
    page = researcher.get(url("run_retry_edit", run), {"cause": "unparsable"})
    (form,) = page.context["forms"]
    prompt = Prompt.objects.get(stage="pair")
    assert (form.stage, form["user"].value(), form["system"].value()) == ("pair", prompt.user, prompt.system)
    assert "{background}" in page.text


def test_an_edited_prompt_becomes_a_new_version_and_edition_and_the_old_reply_stays(
    researcher: Client, run: Run, heard: list[bool]
) -> None:
    old = run.calls.get(outcome="unparsable")
    page = researcher.get(url("run_retry_edit", run), {"cause": "unparsable"})
    text = page.context["forms"][0]["user"].value() + "\nAnswer with JSON alone."
    # A browser sends line ends of its own.
    sent = edited(page, **{"pair-user": text.replace("\n", "\r\n")})
    body = researcher.post(url("run_retry_edit", run), {**sent, "cause": "unparsable"}, follow=True).text
    assert "1 call will be sent again with what you changed." in body
    anew = run.calls.get(state="todo")
    assert (anew.run_stage.edition, anew.run_stage.prompt.version, anew.run_stage.prompt.user) == (2, 2, text)
    old.refresh_from_db()
    assert (old.replaced, old.raw_reply) == (True, "no json")
    assert "A newer call replaced this one" in researcher.get(old.get_absolute_url()).text


def test_nothing_changed_makes_no_new_version(researcher: Client, run: Run) -> None:
    page = researcher.get(url("run_retry_edit", run))
    researcher.post(url("run_retry_edit", run), edited(page))
    assert Prompt.objects.filter(stage="pair").count() == 1
    assert run.calls.filter(state="todo").count() == 3


def test_a_prompt_that_lacks_its_dialogue_is_refused_with_what_was_typed(researcher: Client, run: Run) -> None:
    page = researcher.get(url("run_retry_edit", run), {"cause": "unparsable"})
    sent = edited(page, **{"pair-user": "Write something."})
    response = researcher.post(url("run_retry_edit", run), {**sent, "cause": "unparsable"})
    assert response.status_code == 422
    assert "Write something." in response.text
    assert "background" in response.text
    assert not run.calls.filter(state="todo").exists()


def test_with_nothing_failed_there_is_nothing_to_edit(researcher: Client, run: Run) -> None:
    assert "Nothing to try again" in researcher.get(url("run_retry_edit", run), {"cause": "empty"}).text


def test_reading_again_says_how_many_changed_and_keeps_the_new_threshold(
    researcher: Client, run: Run, heard: list[bool]
) -> None:
    run.calls.filter(outcome="ok").update(raw_reply="")  # what these made was written by hand
    body = researcher.post(url("run_reread", run), {"keep_share": "0.6"}, follow=True).text
    assert "No dialogue or score was changed." in body
    run.refresh_from_db()
    assert run.keep_share == 0.6
    researcher.post(url("run_reread", run), {"keep_share": "6"})
    run.refresh_from_db()
    assert (run.keep_share, heard) == (0.6, [])


def test_what_reading_again_would_change_is_shown_before_anything_is_changed(researcher: Client, run: Run) -> None:
    run.calls.filter(outcome="ok").update(raw_reply="")  # what these made was written by hand
    call = run.calls.get(outcome="unparsable")
    Dialogue.objects.filter(output__call=call).delete()
    Call.objects.filter(pk=call.pk).update(raw_reply=f"<think>{PAIR_REPLY}</think>{PAIR_REPLY}")
    assert "Read the replies again…" in researcher.get(run.get_absolute_url()).text
    page = researcher.get(url("run_reread", run), {"call": call.pk, "next": call.get_absolute_url()})
    assert page.context["review"].counts == [(Stage.PAIR, "unparsable", "ok", False, 1)]
    assert "Nothing has been changed yet" in page.text
    call.refresh_from_db()
    assert call.outcome == "unparsable"
    sent = {"call": call.pk, "next": call.get_absolute_url()}
    after = researcher.post(url("run_reread", run), sent, follow=True)
    assert "1 reply was read again." in after.text
    assert after.redirect_chain == [(call.get_absolute_url(), 302)]
    call.refresh_from_db()
    assert call.outcome == "ok"
    assert "Nothing would change" in researcher.get(url("run_reread", run), {"call": call.pk}).text


def test_a_call_shows_its_note_and_the_answer_that_holds_no_text(researcher: Client, run: Run) -> None:
    call = run.calls.get(outcome="unparsable")
    fields = {"outcome": "empty", "raw_reply": "", "raw_body": '{"audio": "<b>"}', "note": "The reply holds 2 answers."}
    Call.objects.filter(pk=call.pk).update(**fields)
    body = researcher.get(call.get_absolute_url()).text
    assert "The reply holds 2 answers." in body
    assert "No text was found in this answer" in body
    assert "{&quot;audio&quot;: &quot;&lt;b&gt;&quot;}" in body
    assert "Read the reply again…" in body
    listed = researcher.get(url("run_calls", run), {"noted": "on"})
    assert [one.pk for one in listed.context["page"]] == [call.pk]
    assert "with a note" in listed.text


def test_held_calls_are_decided_one_by_one(researcher: Client, run: Run) -> None:
    first, second = run.calls.filter(stage="further_split").order_by("pk")[:2]
    run.calls.filter(pk__in=[first.pk, second.pk]).update(state="ambiguous", outcome="ambiguous")
    Run.objects.update(state="paused", pause_cause="decision", state_reason="2 calls were sent but not answered.")
    body = researcher.get(run.get_absolute_url()).text
    assert body.count('value="give-up"') == 3  # one each, and one for both
    researcher.post(url("run_decide", run), {"decision": "give-up", "call": first.pk})
    states = dict(run.calls.filter(pk__in=[first.pk, second.pk]).values_list("pk", "state"))
    assert states == {first.pk: "failed", second.pk: "ambiguous"}
