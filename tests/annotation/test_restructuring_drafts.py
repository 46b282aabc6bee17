"""A restructuring's draft on the server: kept once, in order, by those who may; never overwritten unasked."""

import threading
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.http import Http404

from annotation.models import Operation, Restructuring
from annotation.restructuring import drafts, views
from annotation.restructuring.drafts import DraftError, Sent, StaleError
from annotation.restructuring.proposals import proposers
from dialogues.audit import AuditVerb
from dialogues.editing import begin, replay, transcript_of
from dialogues.models import AuditEvent
from dialogues.transcript import Transcript
from tests.annotation.restructured import CHAT, asked
from tests.annotation.setting import dialogue, user

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
SPLIT = {"op": "split", "at": 0, "offset": 9}
DELETE = {"op": "delete", "at": 15}
State = Restructuring.State


def sent(*bodies: Any, age: timedelta = timedelta(0)) -> list[Sent]:
    return [Sent(uuid.uuid4(), body, age) for body in bodies]


def save(work: Restructuring, version: int, operations: list[Sent], by: Any = None) -> Restructuring:
    return drafts.save_operations(by or work.annotator, work.token, version=version, operations=operations, now=NOW)


def test_operations_are_kept_with_who_and_when_and_tell_the_text_again() -> None:
    work = asked()
    save(work, 0, sent(SPLIT, age=timedelta(minutes=2)))
    after = save(work, 1, sent(DELETE))
    assert after.version == 2
    assert after.messages[:2] == [[1, "hi there,"], [1, "how are you today?"]]
    assert 0 < after.kept < 1
    rows = list(Operation.objects.values_list("number", "body", "person", "at"))
    assert rows == [(1, SPLIT, work.annotator.pk, NOW - timedelta(minutes=2)), (2, DELETE, work.annotator.pk, NOW)]
    log = [body for _, body, _, _ in rows]
    assert transcript_of(replay(work.original.transcript, log).draft).to_json() == after.messages


def test_what_is_sent_twice_is_kept_once() -> None:
    work = asked()
    first = sent(SPLIT, DELETE)
    save(work, 0, first)
    again = save(work, 0, [*first, *sent({"op": "undo"})])
    assert again.version == 3
    assert Operation.objects.count() == 3


def test_an_old_version_is_told_what_happened_meanwhile() -> None:
    work = asked()
    save(work, 0, sent(SPLIT))
    with pytest.raises(StaleError) as caught:
        save(work, 0, sent(DELETE))
    assert (caught.value.version, caught.value.operations) == (1, [SPLIT])
    assert caught.value.messages[0] == [1, "hi there,"]
    assert Operation.objects.count() == 1


def test_a_version_from_the_future_is_refused() -> None:
    with pytest.raises(DraftError, match="ahead of the server"):
        save(asked(), 4, sent(SPLIT))


@pytest.mark.parametrize(
    "body", [{"op": "merge", "at": 2}, {"op": "burn"}, None, {"op": "reword", "at": 0, "text": "\x00"}]
)
def test_all_operations_of_a_message_are_kept_or_none(body: Any) -> None:
    work = asked()
    with pytest.raises(DraftError):
        save(work, 0, sent(SPLIT, body))
    work.refresh_from_db()
    assert (work.version, work.messages, Operation.objects.count()) == (0, CHAT, 0)


def test_a_strangers_dialogue_does_not_exist() -> None:
    work = asked()
    for person in (user("bob"), user("rae", "researcher")):
        with pytest.raises(Http404):
            drafts.own_restructuring(person, work.token)


def test_a_dialogue_that_was_taken_back_is_gone() -> None:
    work = asked(state=State.WITHDRAWN)
    with pytest.raises(Http404):
        drafts.own_restructuring(work.annotator, work.token)


def test_handing_in_closes_the_draft_for_its_author_and_opens_it_for_a_reviewer() -> None:
    work, reviewer = asked(), user("rae", "researcher")
    with pytest.raises(DraftError, match="Nothing has been changed"):
        drafts.submit(work.annotator, work.token, version=0, now=NOW)
    save(work, 0, sent(SPLIT))
    with pytest.raises(StaleError):
        drafts.submit(work.annotator, work.token, version=0, now=NOW)
    for _ in range(2):
        assert drafts.submit(work.annotator, work.token, version=1, now=NOW).state == State.SUBMITTED
    assert AuditEvent.objects.filter(verb=AuditVerb.RESTRUCTURING_SUBMITTED).count() == 1
    with pytest.raises(DraftError, match="not open for changes"):
        save(work, 1, sent(DELETE))
    save(work, 1, sent(DELETE), by=reviewer)
    assert list(Operation.objects.values_list("person__username", flat=True)) == ["ann", "rae"]
    with pytest.raises(DraftError, match="Only the person"):
        drafts.reopen(reviewer, work.token)
    assert drafts.reopen(work.annotator, work.token).state == State.OPEN
    assert save(work, 2, sent({"op": "undo"})).version == 3


def test_an_accepted_proposal_must_have_been_made() -> None:
    work = asked()
    taken = {"op": "accept", "at": 1, "texts": ["pretty good, thanks.", "just got back from a run!"], "by": "rules"}
    for wrong in ({"texts": ["pretty good", "a run!"]}, {"by": "dialogue:nobody"}, {"by": "me"}, {"at": 0}, {"at": 99}):
        with pytest.raises(DraftError):
            save(work, 0, sent({**taken, **wrong}))
    assert save(work, 0, sent(taken)).kept == 1
    with pytest.raises(DraftError, match="changed since"):
        save(work, 1, sent(taken))


def test_no_other_version_of_the_dialogue_is_proposed() -> None:
    work = asked()
    fields = {"origin": work.original.origin, "parent": work.original, "written_by": "writer-1"}
    dialogue(work.original.corpus, "d0.s", "stephanie", "x", **fields)
    assert [proposer.key for proposer in proposers(work.original, work.annotator)] == ["rules"]
    accepted = {"op": "accept", "at": 0, "texts": ["hello , x"], "by": "dialogue:d0.s"}
    with pytest.raises(DraftError, match="proposal is not there"):
        save(work, 0, sent(accepted))


@pytest.mark.parametrize(
    ("texts", "step", "expected"),
    [
        (["a b"], "", []),
        (["a\r\n\r\nb"], "", [{"op": "split", "at": 0, "offset": 1}]),
        (["a\n\nc\n \nd e"], "", [
            {"op": "reword", "at": 0, "text": "a c d e"}, {"op": "split", "at": 0, "offset": 3},
            {"op": "split", "at": 0, "offset": 1},
        ]),
        ([" "], "", [{"op": "delete", "at": 0}]),
        (["a b"], "undo", [{"op": "undo"}]),
        (["a b"], "add:0", [{"op": "insert", "at": 1, "speaker": 1, "text": "new"}]),
    ],
)  # fmt: skip
def test_the_plain_form_is_read_into_operations(texts: list[str], step: str, expected: list[Any]) -> None:
    draft = begin(Transcript.of([[1, "a b"]]))
    assert views.operations_of(draft, texts, step, "new") == expected


@pytest.mark.parametrize(
    ("texts", "step"), [([], ""), (["a b"], "burn:0"), (["a b"], "merge:x"), (["a b"], "merge:-1")]
)
def test_a_form_that_no_page_sends_is_refused(texts: list[str], step: str) -> None:
    with pytest.raises(views.FormError):
        views.operations_of(begin(Transcript.of([[1, "a b"]])), texts, step, "")


@pytest.mark.django_db(transaction=True)
def test_two_who_save_at_the_same_moment_never_lose_an_operation() -> None:
    work = asked()
    results: list[str] = []
    start = threading.Barrier(8)

    def go() -> None:
        try:
            start.wait()
            save(work, 0, sent(SPLIT))
            results.append("kept")
        except StaleError:
            results.append("stale")
        finally:
            connection.close()

    threads = [threading.Thread(target=go) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["kept", *["stale"] * 7]
    assert Operation.objects.count() == 1
