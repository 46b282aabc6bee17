"""A study is closed between submits: none lands after it, and none is cut off in the middle."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from annotation.allocation import claiming
from annotation.models import Assignment, Rating, Study
from annotation.monitoring import states
from annotation.rating import queue
from annotation.rating.answers import Answer
from tests.annotation.setting import ANSWER, corpus, fresh, member, study, take

# One writer at a time, who begins with the lock: nothing can come between.
only_with_rivals = pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time")


def held_by_ann(k: int | None = 1) -> Assignment:
    held = take(fresh(member(study(k, of=corpus(1)), "ann")), timezone.now())
    return Assignment.objects.select_related("membership__rater", "study").get(pk=held.pk)


def submit(held: Assignment, answer: Any = ANSWER) -> queue.Submission:
    assert held.membership is not None
    return queue.submit(
        held.membership.rater, held.token, submission_id=held.submission_id, answer=answer, now=timezone.now()
    )


@pytest.mark.django_db
@pytest.mark.parametrize(("end", "says"), [(states.close, "closed"), (states.pause, "paused")])
def test_a_submit_that_saw_the_study_open_before_it_ended_is_refused(end: Callable[..., Any], says: str) -> None:
    held = held_by_ann()

    def meanwhile(_: Assignment) -> Answer:
        end(study=held.study, by=None)
        return ANSWER

    with pytest.raises(queue.QueueError, match=says), transaction.atomic():
        submit(held, meanwhile)
    assert not Rating.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("act", ["take back", "skip"])
def test_nothing_is_taken_back_or_skipped_after_the_end_either(act: str, monkeypatch: pytest.MonkeyPatch) -> None:
    held = held_by_ann()
    if act == "take back":
        submit(held)
    rater, looked = held.membership and held.membership.rater, queue._must_be_open

    def too_early(assignment: Assignment) -> None:
        looked(assignment)
        if assignment.study.is_open:
            Study.objects.update(state=Study.State.CLOSED)

    monkeypatch.setattr(queue, "_must_be_open", too_early)
    fields: dict[str, Any] = {"reason": "unreadable"} if act == "skip" else {"now": timezone.now()}
    with pytest.raises(queue.QueueError, match="closed"), transaction.atomic():
        (queue.skip if act == "skip" else queue.take_back)(rater, held.token, **fields)
    assert Rating.objects.filter(is_current=True).count() == (act == "take back")


@only_with_rivals
@pytest.mark.django_db(transaction=True)
def test_closing_waits_for_the_submits_under_way_and_no_longer() -> None:
    held = held_by_ann()
    written, go_on, closed = threading.Event(), threading.Event(), threading.Event()

    def rate() -> None:
        with transaction.atomic():
            submit(held)
            written.set()
            go_on.wait(10)

    def close() -> None:
        states.close(study=held.study, by=None)
        closed.set()

    threads = [_started(rate)]
    assert written.wait(10)
    threads.append(_started(close))
    assert not closed.wait(0.5)
    go_on.set()
    assert closed.wait(10)
    for thread in threads:
        thread.join(10)
    rating = Rating.objects.get()
    ended = Study.objects.get().closed_at
    assert ended is not None
    assert rating.created_at < ended


@only_with_rivals
@pytest.mark.django_db(transaction=True)
def test_a_submit_that_came_while_it_was_being_closed_is_told_so() -> None:
    held = held_by_ann()
    closing, go_on, said = threading.Event(), threading.Event(), list[str]()

    def close() -> None:
        with transaction.atomic():
            states.close(study=held.study, by=None)
            closing.set()
            go_on.wait(10)

    def rate() -> None:
        try:
            submit(held)
        except queue.QueueError as error:
            said.append(str(error))

    threads = [_started(close)]
    assert closing.wait(10)
    threads.append(_started(rate))
    threads[1].join(0.5)
    assert threads[1].is_alive()
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert said == ["The study is closed; its ratings can no longer be changed."]
    assert not Rating.objects.exists()


@only_with_rivals
@pytest.mark.django_db(transaction=True)
def test_a_skip_that_gives_its_place_back_and_the_close_do_not_wait_for_each_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held = held_by_ann()
    skipping, go_on, real = threading.Event(), threading.Event(), claiming.open_slots

    def slowly(rows: Any) -> None:
        skipping.set()
        go_on.wait(10)
        real(rows)

    monkeypatch.setattr(claiming, "open_slots", slowly)
    rater, failed = held.membership and held.membership.rater, list[Exception]()

    def caught(act: Callable[[], Any]) -> Callable[[], None]:
        def run() -> None:
            try:
                act()
            except Exception as error:
                failed.append(error)

        return run

    threads = [_started(caught(lambda: queue.skip(rater, held.token, reason="unreadable")))]
    assert skipping.wait(10)
    threads.append(_started(caught(lambda: states.close(study=held.study, by=None))))
    threads[1].join(0.5)
    assert threads[1].is_alive()
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert failed == []
    assert Assignment.objects.filter(slot=1, membership=None).count() == 4


def _started(act: Callable[[], None]) -> threading.Thread:
    def run() -> None:
        try:
            act()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread
