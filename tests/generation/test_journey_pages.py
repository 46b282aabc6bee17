"""A run's dialogues and calls: found by state, cause and words, and opened to every call of one of them."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dialogues.models import Dialogue
from generation.models import Background, Call, Run, RunDialogue
from tests.demo_server import DemoServer
from tests.generation.runs import NOWHERE, endpoint_at, small_corpus, started, work
from tests.generation.written_runs import written_run


@pytest.fixture
def run(db: None) -> Run:
    """Five dialogues: done, failed, held, on its way, and one that has not begun."""
    run = written_run(small_corpus(5), endpoint_at(NOWHERE))
    splits = list(run.calls.filter(stage="further_split").order_by("pk"))
    set_state(splits[1], state="failed", outcome="lost_content", raw_reply="half of it")
    set_state(splits[2], state="ambiguous", outcome="ambiguous")
    set_state(splits[3], state="sent", outcome="", owner="me", lease_until=timezone.now())
    Call.objects.filter(alpha=splits[4].alpha).delete()
    return run


def set_state(call: Call, **fields: Any) -> None:
    Call.objects.filter(pk=call.pk).update(**fields)


def listed(client: Client, run: Run, **query: str) -> list[str]:
    page = client.get(reverse("generation:run_dialogues", args=[run.pk]), query)
    return [way.alpha.key for way in page.context["ways"]]


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ({}, ["d0", "d1", "d2", "d3", "d4"]),
        ({"state": "done"}, ["d0"]),
        ({"state": "failed"}, ["d1"]),
        ({"state": "held"}, ["d2"]),
        ({"state": "open"}, ["d3"]),
        ({"state": "new"}, ["d4"]),
        ({"cause": "lost_content"}, ["d1"]),
        ({"cause": "empty"}, []),
        ({"q": "long walk . 3"}, ["d3"]),
        ({"state": "nonsense"}, ["d0", "d1", "d2", "d3", "d4"]),
    ],
)
def test_dialogues_are_found_by_state_cause_and_words(
    researcher: Client, run: Run, query: dict[str, str], keys: list[str]
) -> None:
    assert listed(researcher, run, **query) == keys


def test_a_list_without_a_match_says_how_to_see_all(researcher: Client, run: Run) -> None:
    body = researcher.get(reverse("generation:run_dialogues", args=[run.pk]), {"q": "no such words"}).text
    assert "No dialogue matches" in body
    assert "Show all dialogues" in body


def test_the_lists_ask_as_much_for_many_dialogues_as_for_few(
    researcher: Client, django_assert_max_num_queries: Any
) -> None:
    few = written_run(small_corpus(2, "Few"), endpoint_at(NOWHERE))
    many = written_run(small_corpus(40, "Many"), endpoint_at(NOWHERE, name="Two"))
    for run in (few, many):
        for name in ("run_dialogues", "run_calls", "run_quality"):
            with django_assert_max_num_queries(25):
                assert researcher.get(reverse(f"generation:{name}", args=[run.pk])).status_code == 200


def test_what_happened_last_stands_first_and_waiting_calls_last(researcher: Client, run: Run) -> None:
    newest = run.calls.filter(stage="theme").earliest("pk")
    set_state(newest, settled_at=timezone.now())
    waiting = run.calls.filter(stage="pair").earliest("pk")
    set_state(waiting, state="todo", outcome="", sent_at=None, settled_at=None)
    page = researcher.get(reverse("generation:run_calls", args=[run.pk]))
    rows = list(page.context["page"])
    assert (rows[0], rows[-1]) == (newest, waiting)


def test_calls_are_found_by_stage_state_outcome_model_and_dialogue(researcher: Client, db: None) -> None:
    first = endpoint_at(NOWHERE, name="One", model="model-a")
    run = written_run(small_corpus(2), first, endpoint_at(NOWHERE, name="Two", model="model-b"))
    url = reverse("generation:run_calls", args=[run.pk])

    def count(**query: str) -> int:
        return len(researcher.get(url, query).context["page"].object_list)

    assert (count(), count(stage="theme"), count(branch="1"), count(q="d1")) == (10, 2, 4, 5)
    assert (count(state="done", outcome="ok"), count(state="failed")) == (10, 0)
    assert count(stage="nonsense", branch="' or 1=1") == 10


@pytest.mark.django_db(transaction=True)
def test_a_journey_shows_versions_and_every_call_with_prompt_reply_and_outcome(
    researcher: Client, demo_model: DemoServer
) -> None:
    run = started(small_corpus(1), endpoint_at(demo_model.base_url))
    work(run)
    alpha = Dialogue.objects.get(version="alpha")
    page = researcher.get(reverse("generation:run_dialogue", args=[run.pk, alpha.pk]))
    assert Background.objects.get().theme in page.text.replace("&#x27;", "'").replace("&quot;", '"')
    assert page.text.count('<ol class="bubbles') == 4
    steps = page.context["steps"]
    assert [step["call"].stage for step in steps] == ["theme", "pair", "further_split"]
    assert all(step["proven"] for step in steps)
    for words in ("Task: theme", "Task: pair", "single_step", "Open this call on its own page"):
        assert words in page.text


def test_a_journey_says_why_a_version_is_missing(researcher: Client, run: Run) -> None:
    Dialogue.objects.get(output__call__outcome="lost_content").delete()
    alpha = run.calls.get(outcome="lost_content").alpha
    body = researcher.get(reverse("generation:run_dialogue", args=[run.pk, alpha.pk])).text
    assert "Failed: lost content of γ." in body


def test_a_theme_that_was_taken_over_is_named_so(researcher: Client, run: Run) -> None:
    given = Background.objects.latest("pk")
    chosen = RunDialogue.objects.get(run=run, dialogue=given.dialogue_id)
    other = written_run(run.corpus, endpoint_at(NOWHERE, name="Two"), name="Later")
    other.calls.filter(stage="theme").delete()
    RunDialogue.objects.filter(run=other, dialogue=chosen.dialogue_id).update(background=given)
    body = researcher.get(reverse("generation:run_dialogue", args=[other.pk, chosen.dialogue_id])).text
    assert "Taken from an earlier run, so not paid for again." in body
    assert "Reused" in researcher.get(reverse("generation:run_dialogues", args=[other.pk])).text


def test_a_dialogue_of_another_run_has_no_journey_here(researcher: Client, run: Run) -> None:
    stranger = small_corpus(1, "Other").dialogues.get()
    assert researcher.get(reverse("generation:run_dialogue", args=[run.pk, stranger.pk])).status_code == 404
