"""What a trainer reports is stored once, whatever way it comes, and the state of its run follows."""

import json
import random
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.roles import Role
from generation.models import TrainingEvent, TrainingRun, TrainingSet
from generation.training.curves import Point, thinned
from generation.training.describing import card_of, run_tables
from generation.training.events import Event, EventError, EventKind
from generation.training.reporting import MOST_EVENTS, cleaned, record
from generation.training.run_progress import progress_of, samples_of, training_curve
from tests.generation.api import Script
from tests.generation.training_runs import AT, CHECKED, dialogue_set, event, story, tell, training_run
from tests.people import make_user

pytestmark = pytest.mark.django_db
STATES = TrainingRun.State
FOLLOWS = (
    "state", "step", "steps", "folder", "checked", "parameters", "environment", "problem", "started_at", "finished_at",
)  # fmt: skip


def said(run: TrainingRun) -> tuple[Any, ...]:
    return tuple(getattr(run, name) for name in FOLLOWS)


def test_a_run_follows_its_trainer_from_start_to_finish() -> None:
    run, told = training_run(), story()
    assert tell(run, told[:1]).state == STATES.RUNNING
    run = tell(run, told[1:4])
    assert (run.state, run.step, run.steps) == (STATES.RUNNING, 2, 4)
    assert progress_of(run).sentence == "Step 2 of 4, loss 1.750, about 20 s left"
    run = tell(run, told)
    assert (run.state, run.step, run.folder, run.checked) == (STATES.FINISHED, 4, "/runs/one/model", CHECKED)
    assert run.parameters["rank"] == 8
    assert run.started_at == run.finished_at
    assert run.events.count() == len(told)
    assert [point.loss for point in training_curve(run)] == [3.5, 1.75, 3.5 / 3, 0.875]


@pytest.mark.parametrize("seed", range(6))
def test_any_order_and_any_repetition_tells_the_same(seed: int) -> None:
    shared = dialogue_set()
    straight = said(tell(training_run(shared), story()))
    chance, run = random.Random(seed), training_run(shared)
    shuffled = [*story(), *chance.sample(story(), 6)]
    chance.shuffle(shuffled)
    while shuffled:
        size = chance.randint(1, 5)
        run = tell(run, shuffled[:size])
        del shuffled[:size]
    assert said(run) == straight


def test_the_answer_is_the_number_up_to_which_nothing_is_missing() -> None:
    run, told = training_run(), [Event.of(fields) for fields in story()]
    assert record(run, told[:3]) == 3
    assert record(run, told[5:8]) == 3
    assert record(run, told[3:5]) == 8
    assert record(run, []) == 8


def test_a_late_step_does_not_bring_a_finished_run_back() -> None:
    run, told = training_run(), story()
    late = told.pop(3)
    assert tell(run, told).state == STATES.FINISHED
    assert tell(run, [late]).state == STATES.FINISHED


def test_a_resumed_run_runs_again_and_a_failed_one_says_why() -> None:
    run = tell(training_run(), [*story()[:4], event(5, "stopped", step=2)])
    assert run.state == STATES.STOPPED
    assert run.finished_at is not None
    run = tell(run, [event(6, "started", steps=4, parameters={}, environment={})])
    assert (run.state, run.finished_at) == (STATES.RUNNING, None)
    run = tell(run, [event(7, "failed", why="No memory is left on the card.")])
    assert (run.state, run.problem) == (STATES.FAILED, "No memory is left on the card.")


def test_a_run_that_is_not_heard_of_for_ten_minutes_is_silent_and_not_failed() -> None:
    run = tell(training_run(), story()[:4])
    assert not progress_of(run).is_silent
    run.told_at = timezone.now() - timedelta(minutes=11)
    assert progress_of(run).is_silent
    assert run.state == STATES.RUNNING
    done = tell(run, story())
    done.told_at = timezone.now() - timedelta(days=3)
    assert not progress_of(done).is_silent


PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
ODD = st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)
NAMES = (
    "step", "steps", "loss", "prompt", "reply", "rows", "why", "folder", "parameters", "environment", "text",
    "seconds_left", "memory_bytes", "is_adapter",
)  # fmt: skip


def test_whatever_a_trainer_sends_can_be_stored_and_shown() -> None:
    begun = tell(training_run(), story()[:4])

    @settings(deadline=None, max_examples=40)
    @given(kind=st.sampled_from(list(EventKind)), payload=st.dictionaries(st.sampled_from(NAMES), ODD))
    def tried(kind: EventKind, payload: dict[str, Any]) -> None:
        with transaction.atomic():
            run = tell(begun, [{**payload, "number": 5, "at": AT, "kind": kind.value}])
            progress = progress_of(run)
            assert progress.sentence
            assert json.dumps(progress.as_json(), allow_nan=False)
            assert card_of(run)
            assert run_tables(run)
            samples_of(run, "<|msg|>")
            transaction.set_rollback(True)

    tried()


def test_texts_that_no_database_stores_are_mended() -> None:
    assert cleaned({"a\0": ["\ud83d", float("nan"), float("inf"), 1.5]}) == {"a\ufffd": ["?", None, None, 1.5]}


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"at": "0001-01-01T00:00:00+14:00"}, "at is out of the calendar"),
        ({"number": MOST_EVENTS + 1}, "a run has at most 200,000 events"),
    ],
)
def test_an_event_that_cannot_be_stored_is_refused(fields: dict[str, Any], why: str) -> None:
    run = training_run()
    with pytest.raises(EventError, match=why):
        record(run, [Event.of({**event(1, "notice", text="a"), **fields})])
    assert not TrainingEvent.objects.exists()


def test_a_curve_is_thinned_and_keeps_its_ends() -> None:
    curve = [Point(step, 1.0) for step in range(10_000)]
    thin = thinned(curve, 400)
    assert (len(thin), thin[0], thin[-1]) == (400, curve[0], curve[-1])
    assert thinned(curve[:400], 400) == curve[:400]


# --- over HTTP ------------------------------------------------------------------------------------


def test_a_script_makes_a_run_once_and_reports_to_it() -> None:
    script, training_set = Script(), dialogue_set()
    plan = {"set": training_set.pk, "base": "tiny/llama", "method": "lora"}
    first, again = script.post("training-runs/", plan), script.post("training-runs/", plan)
    assert (first.status_code, again.status_code) == (201, 200)
    number = first.json()["id"]
    assert again.json()["id"] == number
    assert first.json()["name"] == "llama on Small v1"
    answer = script.post(f"training-runs/{number}/events/", story()[:3])
    assert (answer.status_code, answer.json()) == (200, {"stored": 3})
    lines = "".join(json.dumps(fields) + "\n" for fields in story())
    answer = script.client.post(f"/api/training-runs/{number}/events/", lines, content_type="application/x-ndjson")
    assert answer.json() == {"stored": len(story())}
    shown = script.get(f"training-runs/{number}/").json()
    assert (shown["state"], shown["progress"]["step"], shown["checked"][0]["who"]) == ("finished", 4, "tuned")
    listed = script.get("training-runs/", state="finished").json()["results"]
    assert [row["id"] for row in listed] == [number]
    # Another one, because this one has been reported on.
    assert script.post("training-runs/", plan).status_code == 201


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"number": 1}, "Send a JSON list of events"),
        ([{"number": 0, "at": AT, "kind": "step"}], "Number must be a whole number from 1."),
        ([event(1, "danced")], "Kind must be one of started"),
        ([{"number": 1, "at": "yesterday", "kind": "step"}], "At must be a time such as"),
        ([event(1, "notice", text="a")] * 1_001, "at most 1,000"),
    ],
)
def test_what_is_no_event_is_refused_with_a_reason(body: Any, why: str) -> None:
    answer = Script().post(f"training-runs/{training_run().pk}/events/", body)
    assert answer.status_code == 400
    assert why in answer.json()["detail"][0]
    assert not TrainingEvent.objects.exists()


def test_a_line_that_is_no_json_is_named() -> None:
    script, path = Script(), f"/api/training-runs/{training_run().pk}/events/"
    answer = script.client.post(path, json.dumps(story()[0]) + "\n{nonsense\n", content_type="application/x-ndjson")
    assert answer.status_code == 400
    assert "Line 2" in answer.json()["detail"]


def test_a_plan_that_comes_to_nothing_is_refused_at_its_field() -> None:
    script, training_set = Script(), dialogue_set()
    answer = script.post("training-runs/", {"set": training_set.pk, "base": "a", "method": "dpo"})
    assert (answer.status_code, list(answer.json())) == (400, ["method"])
    assert "DPO needs a set of preferences" in answer.json()["method"][0]
    corpus, recipe = training_set.corpus, training_set.recipe
    unbuilt = TrainingSet.objects.create(name="Unbuilt", corpus=corpus, recipe=recipe)
    answer = script.post("training-runs/", {"set": unbuilt.pk, "base": "a"})
    assert "is not built" in answer.json()["set"][0]
    assert "There is no training set" in script.post("training-runs/", {"set": 987654321, "base": "a"}).json()["set"][0]
    assert not TrainingRun.objects.exists()


def test_a_rater_reports_on_nothing() -> None:
    run = training_run()
    make_user(Role.RESEARCHER)
    script = Script(Role.RATER)
    assert script.post(f"training-runs/{run.pk}/events/", story()[:1]).status_code == 403
    assert not run.events.exists()
