"""A researcher's study pages over HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from annotation.models import Membership
from annotation.monitoring.progress import live_agreement, wanted
from annotation.rating import queue
from annotation.rating.answers import Answer
from annotation.rating.pace import pace
from tests.annotation.setting import SCORES, corpus, draft, member, study, user
from tests.people import client_of

pytestmark = pytest.mark.django_db
NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)


def rate(membership: Membership, count: int, value: int = 4, seconds: int = 60) -> None:
    for number in range(count):
        now = NOW + timedelta(hours=number)
        assignment = queue.next_assignment(membership, now=now)
        assert assignment is not None
        answer = Answer({**SCORES, "natural": 1 + number % 5, "engaging": value})
        done = now + timedelta(seconds=seconds)
        queue.submit(
            membership.rater, assignment.token, submission_id=assignment.submission_id, answer=answer, now=done
        )


def test_time_left_follows_from_the_raters_own_median() -> None:
    ann = member(study(), "ann")
    rate(ann, 2, seconds=9000)
    assert pace(ann).minutes_left is None
    rate(ann, 3, seconds=90)
    assert (pace(ann).done, pace(ann).total, pace(ann).minutes_left) == (5, 12, 11)


def test_raters_of_a_k_study_share_the_places() -> None:
    one = study(2)
    raters = [member(one, name) for name in ("ann", "bob", "cem")]
    assert pace(raters[0]).total == 8
    assert wanted(one) == 24


def test_the_page_shows_progress_a_rater_and_agreement_a_question(researcher: Client) -> None:
    one = study()
    for name in ("ann", "bob"):
        rate(member(one, name), 12)
    page: Any = researcher.get(one.get_absolute_url())
    text = page.content.decode()
    assert "24 of 24" in text
    assert text.count("12 of 12") == 2
    assert "all scores are equal" in text
    natural = next(row for row in page.context["agreement"] if row.name == "Natural")
    assert natural.ordinal.value is not None


def test_agreement_is_computed_again_only_when_ratings_change(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    one = study(of=corpus(1))
    ann, bob = member(one, "ann"), member(one, "bob")
    rate(ann, 4)
    first = live_agreement(one)
    # Versions, items, members and ratings, by their keys.
    with django_assert_num_queries(4):
        assert live_agreement(one) == first
    rate(bob, 4)
    assert live_agreement(one) != first


def test_a_simulated_study_says_so_on_every_page(researcher: Client) -> None:
    one = draft(is_simulated=True)
    for url in (reverse("studies"), one.get_absolute_url()):
        assert "simulated ratings" in researcher.get(url).content.decode()
    researcher.post(reverse("study_launch", args=[one.pk]))
    assert "simulated ratings" in researcher.get(one.get_absolute_url()).content.decode()
    ann = member(one, "ann")
    rater = client_of(ann.rater)
    for url in (reverse("rate"), reverse("rate_next", args=[ann.token])):
        assert "simulated ratings" in rater.get(url, follow=True).content.decode()


def test_a_corrected_item_counts_once(researcher: Client) -> None:
    ann = member(study(), "ann")
    rate(ann, 1)
    first = ann.assignments.get(state="submitted")
    changed = Answer({**SCORES, "natural": 5})
    queue.submit(ann.rater, first.token, submission_id=first.submission_id, answer=changed, now=NOW)
    first.refresh_from_db()
    again = queue.submit(
        ann.rater, first.token, submission_id=first.submission_id, answer=Answer(dict(SCORES)), now=NOW
    )
    assert again.rating.supersedes is not None
    assert "1 of 12" in researcher.get(ann.study.get_absolute_url()).content.decode()


def test_somebody_without_an_account_cannot_be_added(researcher: Client) -> None:
    one = study()
    page = researcher.post(reverse("study_member", args=[one.pk]), {"username": "nobody"}, follow=True)
    assert "Invite the person by a link" in page.content.decode()
    assert not one.memberships.exists()


def test_a_draft_names_some_of_many_raters_and_counts_the_rest(researcher: Client) -> None:
    one = draft(of=corpus(1))
    for number in range(27):
        member(one, f"rater-{number:02}")
    html = researcher.get(one.get_absolute_url()).content.decode()
    assert "rater-24" in html
    assert "rater-25" not in html
    assert "And 2 more." in html


def test_nobody_is_added_to_a_closed_study_or_to_the_simulators(researcher: Client) -> None:
    over, simulated = study(of=corpus(1)), draft(of=corpus(1, name="Other"), is_simulated=True)
    user("ann")
    researcher.post(reverse("study_manage", args=[over.pk, "close"]))
    for one in (over, simulated):
        page = researcher.post(reverse("study_member", args=[one.pk]), {"username": "ann"}, follow=True)
        assert "takes no more raters" in page.content.decode()
        assert "Add raters" not in page.content.decode()
        assert not one.memberships.exists()


@pytest.mark.parametrize("number", ["99", "-1", "x", "9" * 5000])
def test_a_number_in_an_address_may_be_any_text(researcher: Client, number: str) -> None:
    one = draft(of=corpus(1))
    assert researcher.get(reverse("study_preview", args=[one.pk]), {"number": number}).status_code == 200
    assert researcher.get(reverse("study_new"), {"corpus": number}).status_code == (404 if number == "99" else 200)


def test_without_a_corpus_the_first_step_is_to_import_one(researcher: Client) -> None:
    assert "Import a corpus" in researcher.get(reverse("study_new")).content.decode()


@pytest.mark.parametrize("name", ["study_launch", "study_member"])
def test_raters_cannot_change_studies(name: str) -> None:
    one = draft()
    client = client_of(user("ann"))
    refused = client.post(reverse(name, args=[one.pk]), {"username": "ann"})
    assert refused.status_code == 403
    assert "Your role cannot" in refused.content.decode()
    one.refresh_from_db()
    assert one.is_draft
