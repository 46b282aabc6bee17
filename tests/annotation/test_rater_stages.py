"""A rater's way through a study: welcome, consent, practice, checks, breaks, what was rated, and leaving."""

from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from annotation.models import Assignment, Membership, Rating, Study
from annotation.rating.membership_changes import failed_checks
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent
from tests.annotation.checked_study import checked, give_checks, with_training
from tests.annotation.setting import KEYS, TWO, corpus, member, study
from tests.people import client_of

pytestmark = pytest.mark.django_db
CONSENT = "You agree that your scores are published without your name."


def plain(**fields: Any) -> Study:
    made = study(of=corpus(2, TWO), versions=TWO)
    Study.objects.filter(pk=made.pk).update(**fields)
    made.refresh_from_db()
    return made


def get(client: Client, name: str, token: str, **options: Any) -> Any:
    return client.get(reverse(name, args=[token]), **options)


def post(client: Client, name: str, token: str, **data: Any) -> Any:
    return client.post(reverse(name, args=[token]), data)


def score_next(client: Client, membership: Membership, value: int = 4) -> str:
    """Rate what comes next, all metrics alike; gives its token."""
    page = get(client, "rate_next", membership.token, follow=True)
    item = page.context["item"]
    scores = {f"score-{key}": value for key in KEYS}
    post(client, "rate_item", item.token, submission_id=str(item.submission_id), **scores)
    return str(item.token)


def test_nobody_rates_before_agreeing_and_the_text_they_agreed_to_is_kept_by_its_hash() -> None:
    ann = member(plain(consent_text=CONSENT, pay_note="12 € an hour", minutes_estimate=40), "ann")
    client = client_of(ann)
    page = get(client, "rate_next", ann.token, follow=True)
    text = page.content.decode()
    assert page.redirect_chain[-1][0] == reverse("rate_welcome", args=[ann.token])
    assert CONSENT in text
    assert "12 € an hour" in text
    assert "about 40 minutes" in text
    hidden = ann.assignments.first()
    assert get(client, "rate_item", hidden.token).headers["Location"] == reverse("rate_next", args=[ann.token])
    gone = post(client, "rate_welcome", ann.token, fingerprint=page.context["welcome"].fingerprint)
    assert gone.headers["Location"].startswith("/rate/item/")
    ann.refresh_from_db()
    assert ann.consented_at is not None
    assert ann.consent_sha256 == sha256(CONSENT.encode()).hexdigest()
    assert "You agreed to this on" in get(client, "rate_welcome", ann.token).content.decode()
    # A second click finds nothing more to agree to.
    first = ann.consented_at
    post(client, "rate_welcome", ann.token, fingerprint=page.context["welcome"].fingerprint)
    ann.refresh_from_db()
    assert ann.consented_at == first
    assert AuditEvent.objects.filter(verb=AuditVerb.CONSENT_GIVEN).count() == 1


def test_agreeing_to_a_text_that_changed_meanwhile_is_refused() -> None:
    ann = member(plain(consent_text=CONSENT), "ann")
    client = client_of(ann)
    for fingerprint in ("", sha256(b"an older text").hexdigest()):
        refused = post(client, "rate_welcome", ann.token, fingerprint=fingerprint)
        assert refused.status_code == 422
        assert "Please read it again" in refused.content.decode()
    ann.refresh_from_db()
    assert ann.consented_at is None


def test_a_rater_who_declines_leaves_no_trace_of_who_they_are() -> None:
    ann = member(plain(consent_text=CONSENT), "ann")
    client = client_of(ann)
    assert client.get(reverse("rate_decline", args=[ann.token])).status_code == 405
    page = client.post(reverse("rate_decline", args=[ann.token]), follow=True)
    assert "nothing about you is kept" in page.content.decode()
    assert not Membership.objects.exists()
    assert not Assignment.objects.exists()
    event = AuditEvent.objects.get(verb=AuditVerb.CONSENT_DECLINED)
    assert (event.actor, event.detail) == (None, {})
    assert get(client, "rate_next", ann.token).status_code == 404


def test_who_has_agreed_cannot_decline_but_can_withdraw() -> None:
    ann = member(plain(consent_text=CONSENT), "ann")
    client = client_of(ann)
    post(client, "rate_welcome", ann.token, fingerprint=sha256(CONSENT.encode()).hexdigest())
    refused: Any = client.post(reverse("rate_decline", args=[ann.token]), follow=True)
    assert "You can still withdraw" in refused.content.decode()
    assert Membership.objects.count() == 1


def test_a_pay_note_alone_is_shown_once_before_the_first_item() -> None:
    ann = member(plain(pay_note="A voucher"), "ann")
    client = client_of(ann)
    page = get(client, "rate_next", ann.token, follow=True)
    assert "A voucher" in page.content.decode()
    assert post(client, "rate_welcome", ann.token).headers["Location"].startswith("/rate/item/")
    assert get(client, "rate_next", ann.token).headers["Location"].startswith("/rate/item/")


def test_practice_comes_first_with_feedback_after_each_and_is_there_again_later() -> None:
    ann = member(with_training(plain()), "ann")
    client = client_of(ann)
    page = get(client, "rate_next", ann.token, follow=True)
    assert "Practice dialogue" in page.content.decode()
    for number, value in enumerate((4, 1)):
        lesson = score_next(client, ann, value)
        feedback = get(client, "rate_feedback", lesson)
        assert feedback.content.decode().count("verdict--right") == (6 if number == 0 else 0)
        assert "The two people greet each other" in feedback.content.decode()
        ann.refresh_from_db()
        assert ann.trained_at is None
    listed = get(client, "rate_next", ann.token, follow=True)
    assert "Start rating" in listed.content.decode()
    assert post(client, "rate_practice", ann.token).headers["Location"] == reverse("rate_next", args=[ann.token])
    ann.refresh_from_db()
    assert ann.trained_at is not None
    page = get(client, "rate_next", ann.token, follow=True)
    assert page.context["item"].is_practice is False
    assert "0 / 4" in page.content.decode()
    again = get(client, "rate_practice", ann.token).content.decode()
    assert "Practice dialogue 2" in again
    assert "Start rating" not in again


def test_rating_cannot_begin_while_a_practice_dialogue_waits_and_none_can_be_skipped() -> None:
    ann = member(with_training(plain()), "ann")
    client = client_of(ann)
    lesson = get(client, "rate_practice", ann.token).headers["Location"].split("/")[-2]
    refused: Any = client.post(reverse("rate_practice", args=[ann.token]), follow=True)
    assert "still open" in refused.content.decode()
    refused = client.post(reverse("rate_skip", args=[lesson]), {"reason": "unreadable"}, follow=True)
    assert "cannot be skipped" in refused.content.decode()
    ann.refresh_from_db()
    assert ann.trained_at is None


def test_only_practice_has_feedback() -> None:
    ann = member(checked(), "ann")
    give_checks(ann)
    client = client_of(ann)
    for assignment in ann.assignments.all():
        assert get(client, "rate_feedback", assignment.token).status_code == 404


@pytest.mark.parametrize(("most", "value", "ends"), [(0, 4, True), (1, 4, False), (0, 2, False), (None, 4, False)])
def test_more_lapses_than_the_study_allows_end_a_raters_part(most: int | None, value: int, ends: bool) -> None:
    made = checked()
    Study.objects.filter(pk=made.pk).update(most_lapses=most, screen_out_code="SCREENED-9")
    ann = member(made, "ann")
    give_checks(ann)
    client = client_of(ann)
    score_next(client, ann, value)
    score_next(client, ann, value)
    ann.refresh_from_db()
    assert failed_checks(ann) == (value == 4)
    assert (ann.screened_out_at is not None) is ends
    page = get(client, "rate_next", ann.token, follow=True)
    assert ("SCREENED-9" in page.content.decode()) is ends
    assert ("Your part ends here" in page.content.decode()) is ends
    assert AuditEvent.objects.filter(verb=AuditVerb.RATER_SCREENED_OUT).count() == ends
    if ends:
        rated = ann.assignments.filter(state="submitted").first()
        assert get(client, "rate_item", rated.token).headers["Location"] == reverse("rate_next", args=[ann.token])


def test_checks_count_in_the_progress_like_every_other_item() -> None:
    ann = member(checked(), "ann")
    give_checks(ann)
    client = client_of(ann)
    for done in range(6):
        page = get(client, "rate_next", ann.token, follow=True)
        assert f"{done} / 6" in page.content.decode()
        score_next(client, ann)
    assert "All 6 rated" in get(client, "rate_next", ann.token).content.decode()


def test_the_last_submit_can_be_undone_for_a_while_and_comes_back_as_a_draft() -> None:
    ann = member(plain(), "ann")
    client = client_of(ann)
    first = score_next(client, ann, 5)
    page = get(client, "rate_next", ann.token, follow=True)
    assert page.context["item"].undo_token == first
    for _ in range(2):
        back: Any = client.post(reverse("rate_undo", args=[first]), follow=True)
        item = back.context["item"]
        assert item.token == first
        assert not item.is_submitted
        assert [point.value for question in item.questions for point in question.points if point.chosen] == [5] * 6
    assert not Rating.objects.filter(is_current=True).exists()
    score_next(client, ann, 3)
    assert Rating.objects.count() == 2
    Rating.objects.update(created_at=timezone.now() - timedelta(hours=1))
    page = get(client, "rate_next", ann.token, follow=True)
    assert page.context["item"].undo_token is None
    late: Any = client.post(reverse("rate_undo", args=[first]), follow=True)
    assert "too late to undo" in late.content.decode()
    assert Rating.objects.filter(is_current=True).count() == 1


def test_the_list_of_what_was_rated_shows_scores_newest_first_and_leads_to_each(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    made = study(of=corpus(30, TWO), versions=TWO)
    ann = member(made, "ann")
    now = timezone.now()
    for number, assignment in enumerate(ann.assignments.all()):
        assignment.opened_at, assignment.state = now + timedelta(seconds=number), "submitted"
        assignment.save(update_fields=["opened_at", "state"])
        rating = Rating.objects.create(assignment=assignment, flag="offensive" if number == 59 else "")
        for key in KEYS:
            rating.scores.create(metric=key, value=1 + number % 5, scale_low=1, scale_high=5)
    client = client_of(ann)
    with django_assert_max_num_queries(14):
        page = get(client, "rate_rated", ann.token)
    rows = page.context["rated"].rows
    assert [row.number for row in rows] == list(range(60, 10, -1))
    assert rows[0].scores == ("5",) * 6
    assert rows[0].flag == "Offensive or upsetting"
    assert get(client, "rate_item", rows[-1].token).context["item"].is_submitted
    second = client.get(reverse("rate_rated", args=[ann.token]), {"page": 2})
    assert [row.number for row in second.context["rated"].rows] == list(range(10, 0, -1))


def test_an_empty_list_says_what_will_be_there() -> None:
    ann = member(plain(), "ann")
    assert "Nothing rated yet" in get(client_of(ann), "rate_rated", ann.token).content.decode()


def test_a_break_is_proposed_after_its_time_and_again_only_after_as_long() -> None:
    ann = member(plain(break_every=30), "ann")
    client = client_of(ann)
    first = score_next(client, ann)
    page = get(client, "rate_next", ann.token, follow=True)
    assert page.context["break_minutes"] is None
    now = timezone.now()
    for number, assignment in enumerate(ann.assignments.order_by("-opened_at").exclude(opened_at=None)):
        assignment.opened_at = now - timedelta(minutes=(10, 24)[number])
        assignment.save(update_fields=["opened_at"])
    others = ann.assignments.filter(opened_at=None)
    for number, assignment in enumerate(others):
        assignment.opened_at = now - timedelta(minutes=(38, 90)[number])
        assignment.save(update_fields=["opened_at"])
    item = ann.assignments.filter(state="open").order_by("-opened_at").first()
    # The item of 90 minutes ago was before a pause.
    assert get(client, "rate_item", item.token).context["break_minutes"] == 38
    assert "rating for 38 minutes" in get(client, "rate_item", item.token).content.decode()
    away = post(client, "rate_break", ann.token, item=item.token)
    assert away.headers["Location"] == reverse("rate_item", args=[item.token])
    assert get(client, "rate_item", item.token).context["break_minutes"] is None
    assert get(client, "rate_item", first).context["break_minutes"] is None


@pytest.mark.parametrize(("policy", "says", "left"), [("keep", "stay in the study", 1), ("remove", "are removed", 0)])
def test_withdrawing_says_what_becomes_of_the_scores_and_needs_a_second_yes(policy: str, says: str, left: int) -> None:
    ann = member(plain(withdrawal=policy), "ann")
    client = client_of(ann)
    token = score_next(client, ann)
    assert says in get(client, "rate_withdraw", ann.token).content.decode()
    assert post(client, "rate_withdraw", ann.token).status_code == 422
    ann.refresh_from_db()
    assert ann.withdrawn_at is None
    gone: Any = client.post(reverse("rate_withdraw", args=[ann.token]), {"sure": "yes"}, follow=True)
    assert "goodbye" in gone.content.decode()
    assert Rating.objects.count() == left
    assert post(client, "rate_withdraw", ann.token, sure="yes").status_code == 404
    assert get(client, "rate_item", token).status_code == 404
    assert "Nothing to rate yet" in client.get(reverse("rate")).content.decode()


@pytest.mark.parametrize(
    ("fields", "says", "code"),
    [
        ({"state": "paused"}, "This study is paused", False),
        ({"state": "closed"}, "This study is closed", True),
        ({}, "All 4 rated", True),
    ],
)
def test_each_end_has_a_page_and_the_completion_code_where_it_was_earned(
    fields: dict[str, Any], says: str, code: bool
) -> None:
    ann = member(plain(completion_code="DONE-77"), "ann")
    client = client_of(ann)
    for _ in range(1 if fields else 4):
        token = score_next(client, ann)
    Study.objects.filter(pk=ann.study_id).update(**fields)
    text = get(client, "rate_next", ann.token).content.decode()
    assert says in text
    assert ("DONE-77" in text) is code
    shown = get(client, "rate_item", token).content.decode()
    assert ("The study is paused" in shown) is (fields.get("state") == "paused")
    assert get(client, "rate_welcome", ann.token).status_code == 200
    assert get(client, "rate_rated", ann.token).status_code == 200


def test_a_code_is_not_shown_before_it_is_earned() -> None:
    ann = member(plain(completion_code="DONE-77", screen_out_code="OUT-77"), "ann")
    client = client_of(ann)
    for name in ("rate_next", "rate_welcome", "rate_rated", "rate_withdraw"):
        text = get(client, name, ann.token, follow=True).content.decode()
        assert "DONE-77" not in text
        assert "OUT-77" not in text


@pytest.mark.parametrize("field", ["excluded_at", "screened_out_at"])
def test_whose_part_has_ended_sees_no_more_items(field: str) -> None:
    ann = member(plain(), "ann")
    client = client_of(ann)
    token = score_next(client, ann)
    Membership.objects.filter(pk=ann.pk).update(**{field: timezone.now(), "exclusion_reason": "a private reason"})
    page = get(client, "rate_next", ann.token, follow=True)
    assert "Your part" in page.content.decode()
    assert "private reason" not in page.content.decode()
    assert get(client, "rate_item", token).status_code == 302
    assert "Your part has ended" in client.get(reverse("rate")).content.decode()


def test_another_raters_pages_do_not_exist() -> None:
    ann, bob = member(with_training(plain()), "ann"), member(study(of=corpus(1, name="Bobs")), "bob")
    client = client_of(bob)
    for name in ("rate_welcome", "rate_practice", "rate_rated", "rate_withdraw"):
        assert get(client, name, ann.token).status_code == 404
    for name in ("rate_welcome", "rate_decline", "rate_practice", "rate_break", "rate_withdraw"):
        assert post(client, name, ann.token, sure="yes").status_code == 404
    assert Membership.objects.filter(withdrawn_at=None).count() == 2
