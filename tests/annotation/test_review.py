"""A second person's review of a restructuring, and what becomes of it."""

import uuid

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from annotation.models import Remark, Restructuring
from annotation.models.people import profile_of
from annotation.restructuring import drafts, review
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent, Dialogue
from generation.curation.editing import add_example
from generation.models import Example, ExampleSet
from tests.annotation import handed_in, setting
from tests.annotation.handed_in import MERGE, SPLIT

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting(gamma: Dialogue) -> Restructuring:
    return handed_in.submitted(gamma, setting.user("ann"), SPLIT, MERGE)


def path(row: Restructuring, rest: str = "") -> str:
    return f"/restructurings/{row.token}/{rest}"


def test_the_page_shows_both_texts_figures_and_the_way_between_them(browser: Client, waiting: Restructuring) -> None:
    html = browser.get(path(waiting)).content.decode()
    for text in ("hello ,", "hi there ! i am well", "Messages", "Stephanie", "2 operations"):
        assert text in html
    assert "Split message 1: “hello ,” | “words 0 again”" in html
    assert "Merged message 4 with the one above" in html
    assert "<del>" not in html


def test_any_point_of_the_log_can_be_read_but_not_decided_on(browser: Client, waiting: Restructuring) -> None:
    begun = browser.get(f"{path(waiting)}?at=0").content.decode()
    assert "As it was after operation 0 of 2" in begun
    assert "Approve" not in begun
    assert "hi there ! i am well" not in begun.split('id="log"')[0]
    # A point that is none is the end.
    for wrong in ("3", "-1", "x", "9" * 30):
        assert "Approve" in browser.get(f"{path(waiting)}?at={wrong}").content.decode()


def test_changed_words_are_marked_on_request(browser: Client, gamma: Dialogue) -> None:
    reworded = {"op": "reword", "at": 0, "text": "hello , words 0 once more"}
    row = handed_in.submitted(gamma, setting.user("ann"), reworded)
    html = browser.get(f"{path(row)}?diff=1").content.decode()
    assert "<del>again</del>" in html
    assert "<ins>once more</ins>" in html


def test_approval_makes_a_dialogue_of_its_own_once(browser: Client, rey: User, waiting: Restructuring) -> None:
    said = browser.post(path(waiting, "approve/"), {"version": "2"}, follow=True).content.decode()
    assert "It is a separate dialogue now: d0-gamma.hand.1" in said
    waiting.refresh_from_db()
    made = waiting.result
    assert made is not None
    original = waiting.original
    assert (waiting.state, waiting.reviewer, made.messages) == ("approved", rey, waiting.messages)
    assert (made.version_id, made.parent, made.origin) == ("restructured", original, original.origin)
    assert (made.corpus, made.theme, made.traits_1) == (original.corpus, original.theme, original.traits_1)
    assert made.written_by == profile_of(waiting.annotator).pseudonym
    assert made.message_count == len(waiting.messages)
    # A double click and a second reviewer change nothing.
    assert review.approve(restructuring=waiting, version=2, by=rey) == made
    with pytest.raises(review.ReviewError, match="approved already"):
        review.approve(restructuring=waiting, version=2, by=setting.user("other", "researcher"))
    assert Dialogue.objects.filter(version="restructured").count() == 1
    assert AuditEvent.objects.filter(verb=AuditVerb.RESTRUCTURING_APPROVED).count() == 1


def test_two_peoples_rewrites_are_numbered_and_one_of_an_original_belongs_to_it(rey: User, gamma: Dialogue) -> None:
    alpha = gamma.origin
    assert alpha is not None
    keys = [handed_in.approved(gamma, setting.user(name), rey).result.key for name in ("ann", "bob")]  # type: ignore[union-attr]
    assert keys == ["d0-gamma.hand.1", "d0-gamma.hand.2"]
    of_alpha = handed_in.approved(alpha, setting.user("cat"), rey).result
    assert of_alpha is not None
    assert (of_alpha.origin, of_alpha.parent) == (alpha, alpha)


def test_a_long_name_leaves_room_for_the_number(rey: User, gamma: Dialogue) -> None:
    Dialogue.objects.filter(pk=gamma.pk).update(key="k" * 200)
    gamma.refresh_from_db()
    made = handed_in.approved(gamma, setting.user("ann"), rey).result
    assert made is not None
    assert made.key == "k" * 180 + ".hand.1"


def test_nobody_reviews_their_own_and_the_page_says_so(client: Client, gamma: Dialogue) -> None:
    rae = setting.user("rae", "researcher")
    own = handed_in.submitted(gamma, rae)
    client.force_login(rae)
    assert "You restructured this dialogue yourself" in client.get(path(own)).content.decode()
    answer = client.post(path(own, "approve/"), {"version": "1"}, follow=True)
    assert "a second person reviews it" in answer.content.decode()
    own.refresh_from_db()
    assert own.state == "submitted"
    with pytest.raises(IntegrityError), transaction.atomic():
        Restructuring.objects.filter(pk=own.pk).update(reviewer=rae)


def test_sending_back_needs_words_and_leaves_them_for_the_annotator(browser: Client, waiting: Restructuring) -> None:
    answer = browser.post(path(waiting, "send-back/"), {"version": "2", "words": "  "})
    assert answer.status_code == 422
    assert "Say what should be different." in answer.content.decode()
    browser.post(path(waiting, "send-back/"), {"version": "2", "words": "Shorter, please."})
    waiting.refresh_from_db()
    assert (waiting.state, waiting.review) == ("returned", "Shorter, please.")
    again = browser.post(path(waiting, "send-back/"), {"version": "2", "words": "Shorter, please."}, follow=True)
    assert "Sent back." in again.content.decode()
    assert AuditEvent.objects.filter(verb=AuditVerb.RESTRUCTURING_SENT_BACK).count() == 1


@pytest.mark.parametrize("what", ["approve/", "send-back/", "remarks/"])
def test_a_text_that_changed_meanwhile_is_read_again_before_anything_is_said(
    browser: Client, waiting: Restructuring, what: str
) -> None:
    sent = {"version": "2", "words": "Shorter, please.", "message": "0", "text": "Why?"}
    handed_in.operate(waiting, {"op": "undo"})
    answer = browser.post(path(waiting, what), sent)
    html = answer.content.decode()
    assert answer.status_code == 409
    assert "The text has changed since you opened it" in html
    # What was written is still there, over the new text.
    assert {"approve/": "", "send-back/": "Shorter, please.", "remarks/": "Why?"}[what] in html
    waiting.refresh_from_db()
    assert (waiting.state, Remark.objects.count()) == ("submitted", 0)
    assert browser.post(path(waiting, what), {**sent, "version": "3"}).status_code == 302


def test_remarks_keep_the_words_they_were_said_of_and_can_be_settled(
    browser: Client, rey: User, waiting: Restructuring
) -> None:
    sent = {"version": "2", "message": "1", "text": "Better as two?"}
    for _ in range(2):
        browser.post(path(waiting, "remarks/"), sent)
    remark = Remark.objects.get()
    assert (remark.place, remark.version, remark.quote, remark.author) == (1, 2, "words 0 again", rey)
    assert "1 remark is not settled" in browser.get(path(waiting)).content.decode()
    for _ in range(2):
        browser.post(path(waiting, f"remarks/{remark.pk}/settle/"))
    remark.refresh_from_db()
    assert remark.settled_at is not None
    assert AuditEvent.objects.filter(verb=AuditVerb.REMARK_SETTLED).count() == 1
    other = handed_in.submitted(waiting.original, setting.user("bob"))
    assert browser.post(path(other, f"remarks/{remark.pk}/settle/")).status_code == 404


def test_a_reviewer_may_mend_the_text_before_approving_and_the_log_names_them(
    browser: Client, rey: User, waiting: Restructuring
) -> None:
    assert f'href="/restructure/{waiting.token}/">Edit the text' in browser.get(path(waiting)).content.decode()
    mended = drafts.Sent(uuid.uuid4(), {"op": "reword", "at": 0, "text": "Hello there"})
    drafts.save_operations(rey, waiting.token, version=2, operations=[mended], now=timezone.now())
    html = browser.get(path(waiting)).content.decode()
    assert 'Reworded message 1: “hello ,” → “Hello there”</a> <span class="meta"><bdi>rey</bdi>' in html
    browser.post(path(waiting, "approve/"), {"version": "3"})
    waiting.refresh_from_db()
    assert waiting.result is not None
    assert waiting.result.messages[0] == [1, "Hello there"]


def test_taking_back_keeps_the_text_and_giving_back_goes_on_from_there(browser: Client, waiting: Restructuring) -> None:
    browser.post(path(waiting, "take-back/"))
    waiting.refresh_from_db()
    assert (waiting.state, waiting.version, waiting.operations.count()) == ("withdrawn", 2, 2)
    again = browser.post(path(waiting, "take-back/"), follow=True).content.decode()
    assert "It was taken back already." in again
    browser.post(path(waiting, "give-back/"))
    waiting.refresh_from_db()
    assert waiting.state == "open"


def test_what_was_approved_is_not_taken_back(rey: User, gamma: Dialogue) -> None:
    row = handed_in.approved(gamma, setting.user("ann"), rey)
    with pytest.raises(review.ReviewError, match="its dialogue stays"):
        review.take_back(restructuring=row, by=rey)


def further_split() -> ExampleSet:
    return ExampleSet.objects.create(name="By hand", kind="further_split")


def test_an_approved_pair_becomes_an_example_with_the_log_of_its_making(browser: Client, gamma: Dialogue) -> None:
    row = handed_in.approved(gamma, setting.user("ann"), setting.user("rev", "researcher"), SPLIT, MERGE)
    draft = further_split()
    said = browser.post(path(row, "example/"), {"example_set": draft.pk, "note": "Good."}, follow=True)
    assert "Added to By hand v1 as example 1." in said.content.decode()
    made = Example.objects.get()
    assert (made.messages, made.messages_after) == (gamma.messages, row.messages)
    assert (made.dialogue, made.dialogue_after, made.source) == (gamma, row.result, "restructuring")
    assert [step["operation"] for step in made.operations] == [SPLIT, MERGE]
    assert {step["by"] for step in made.operations} == {profile_of(row.annotator).pseudonym}
    assert made.operations[0]["time"].startswith("20")
    again = browser.post(path(row, "example/"), {"example_set": draft.pk}, follow=True).content.decode()
    assert "Not added: d0-gamma is in this set already" in again
    assert Example.objects.count() == 1


def test_the_new_text_alone_goes_into_a_set_of_step_by_step_dialogues(rey: User, gamma: Dialogue) -> None:
    row = handed_in.approved(gamma, setting.user("ann"), rey)
    positive = ExampleSet.objects.create(name="Positive", kind="step_by_step")
    made = review.add_to_examples(positive, restructuring=row, note="", by=rey)
    assert (made.messages, made.messages_after, made.dialogue) == (row.messages, None, row.result)


def test_only_drafts_are_offered_and_only_approved_ones_taken(
    browser: Client, rey: User, waiting: Restructuring
) -> None:
    frozen = further_split()
    add_example(
        example_set=frozen, by=None, messages=[[1, "a"], [2, "b"]], messages_after=[[1, "a"], [2, "c"]], source="hand"
    )
    frozen.freeze()
    answer = browser.post(path(waiting, "example/"), {"example_set": frozen.pk})
    assert answer.status_code == 422
    draft = ExampleSet.objects.create(name="Draft", kind="further_split")
    said = browser.post(path(waiting, "example/"), {"example_set": draft.pk}, follow=True).content.decode()
    assert "Only an approved restructuring can become an example." in said
    review.approve(restructuring=waiting, version=2, by=rey)
    assert "Draft v1 – " in browser.get(path(waiting)).content.decode()
    draft.delete()
    assert "make one first" in browser.get(path(waiting)).content.decode()
