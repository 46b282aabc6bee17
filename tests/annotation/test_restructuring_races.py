"""Double clicks and two people at once: everything is made once."""

import threading
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import connection

from annotation.models import Restructuring
from annotation.restructuring import review, seeds
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent, Dialogue
from tests.annotation import handed_in, setting
from tests.annotation.restructured import gamma

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*actions: Callable[[], object]) -> list[object]:
    """Start all together; what each gave, or the error it raised."""
    results: list[object] = []
    gate = threading.Barrier(len(actions))

    def go(action: Callable[[], object]) -> None:
        try:
            gate.wait()
            results.append(action())
        except review.ReviewError as error:
            results.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=go, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_asking_twice_at_once_asks_once() -> None:
    rey, ann = setting.user("rey", "researcher"), setting.user("ann")
    dialogues = [gamma(key=f"d{number}").pk for number in range(3)]

    def ask() -> seeds.Asked:
        return seeds.ask(dialogues=dialogues, people=[ann], instructions="", by=rey)

    found = at_once(*[ask] * 4)
    assert sorted(found, key=str) == sorted([seeds.Asked(3, 0), *[seeds.Asked(0, 3)] * 3], key=str)
    assert Restructuring.objects.count() == 3


def test_a_double_click_on_approve_makes_one_dialogue() -> None:
    rey = setting.user("rey", "researcher")
    row = handed_in.submitted(gamma(), setting.user("ann"))
    found = at_once(*[lambda: review.approve(restructuring=row, version=row.version, by=rey)] * 4)
    assert set(found) == {Dialogue.objects.get(version="restructured")}
    assert AuditEvent.objects.filter(verb=AuditVerb.RESTRUCTURING_APPROVED).count() == 1


def test_of_two_reviewers_one_decides() -> None:
    reviewers: list[User] = [setting.user(name, "researcher") for name in ("rey", "roy")]
    row = handed_in.submitted(gamma(), setting.user("ann"))
    found = at_once(
        lambda: review.approve(restructuring=row, version=row.version, by=reviewers[0]),
        lambda: review.send_back(restructuring=row, version=row.version, words="More.", by=reviewers[1]),
    )
    assert sum(isinstance(one, review.ReviewError) for one in found) == 1
    row.refresh_from_db()
    assert (row.state == "approved") == (row.result is not None)


def test_two_peoples_rewrites_approved_at_once_get_two_names() -> None:
    rey, original = setting.user("rey", "researcher"), gamma()
    rows = [handed_in.submitted(original, setting.user(name)) for name in ("ann", "bob", "cat")]
    at_once(*[lambda row=row: review.approve(restructuring=row, version=row.version, by=rey) for row in rows])  # type: ignore[misc]
    keys = Dialogue.objects.filter(version="restructured").values_list("key", flat=True)
    assert sorted(keys) == [f"d0.gamma.hand.{number}" for number in (1, 2, 3)]
