"""What a rater's two requests ask of the database, and that a claim goes by the index."""

from typing import Any

import pytest
from django.db import connection, transaction
from django.urls import reverse

from annotation.allocation import claiming
from annotation.allocation.block_balance import members_lines
from annotation.models import Assignment, Membership, Study
from annotation.rating import access, queue
from annotation.rating.answers import Answer
from tests.annotation.rater_queries import MOST, asked
from tests.annotation.setting import NOW, SCORES, corpus, member, study
from tests.people import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture(params=[None, 2], ids=["crossed", "places"])
def ann(request: pytest.FixtureRequest) -> Membership:
    return member(study(request.param, of=corpus(10)), "ann")


def test_each_request_of_a_rater_asks_the_database_at_most_eight_times(ann: Membership) -> None:
    client, address = client_of(ann), reverse("rate_next", args=[ann.token])
    for _ in range(9):
        if "/item/" not in address:
            found, sent = asked(lambda to=address: client.get(to))
            assert len(sent) <= MOST, sent
            address = found["Location"]
        page, sent = asked(lambda to=address: client.get(to))
        assert page.status_code == 200
        assert len(sent) <= MOST, sent
        body = {"submission_id": str(page.context["item"].submission_id), "scores": SCORES}
        kept, sent = asked(lambda to=address, of=body: client.post(f"{to}submit/", of, content_type="application/json"))
        assert kept.status_code == 200
        assert len(sent) <= MOST, sent
        address = kept.json()["next"]


def test_a_submit_leads_straight_to_the_next_item(ann: Membership) -> None:
    """Where everyone scores everything, only within a block: rows are moved between two blocks."""
    stops = 4 if ann.study.raters_per_item is None else 100
    client = client_of(ann)
    page: Any = client.get(reverse("rate_next", args=[ann.token]), follow=True)
    for number in range(1, 9):
        item = page.context["item"]
        body = {"submission_id": str(item.submission_id), "scores": SCORES}
        kept: Any = client.post(reverse("rate_submit", args=[item.token]), body, content_type="application/json")
        assert ("/item/" in kept.json()["next"]) == (number % stops != 0)
        page = client.get(kept.json()["next"], follow=True)


def test_claims_drafts_and_undo_cost_the_same_whatever_was_rated_before() -> None:
    one = study(2, of=corpus(10))
    ann = member(one, "ann")
    costs = []
    for _ in range(30):
        held, sent = asked(lambda: queue.next_assignment(ann, now=NOW))
        costs.append(len(sent))
        Assignment.objects.filter(pk=held.pk).update(state=Assignment.State.SUBMITTED)
    # Locks, the rater's row, the place; at the start of a block also what the others were shown.
    assert max(costs) <= 5


def test_a_claim_is_one_statement_that_finds_its_place_by_the_index() -> None:
    one = study(2, of=corpus(10))
    ann = member(one, "ann")
    held = queue.next_assignment(ann, now=NOW)
    assert held is not None
    Assignment.objects.filter(pk=held.pk).update(state=Assignment.State.SUBMITTED)
    _, sent = asked(lambda: queue.next_assignment(ann, now=NOW))
    (claim,) = [sql for sql in sent if "RETURNING" in sql]
    assert claim.startswith("UPDATE")
    assert ("SKIP LOCKED" in claim) == connection.features.has_select_for_update_skip_locked
    places = claiming._in_turn(one.pk, ann.pk, NOW, 1).filter(position__gte=3)[:1]
    if connection.vendor == "sqlite":
        plan = places.explain()
        assert "assignment_places (study_id=? AND state=? AND condition=? AND position>?)" in plan
        assert "SCAN" not in plan
        assert "TEMP B-TREE" not in plan


@pytest.mark.parametrize("policy", Study.Withdrawal.values)
def test_at_the_end_of_a_block_a_submit_has_read_what_choosing_the_next_row_reads(policy: str) -> None:
    one = study(2, of=corpus(10), withdrawal=policy)
    people = [member(one, name) for name in ("ann", "bob", "cleo", "dora", "eve")]
    for person in people:
        assert queue.next_assignment(person, now=NOW) is not None
    now = {"excluded_at": NOW, "withdrawn_at": NOW, "screened_out_at": NOW}
    for person, (field, at) in zip(people[1:], now.items(), strict=False):
        Membership.objects.filter(pk=person.pk).update(**{field: at})
    ann = people[0]
    for number in range(1, 5):
        held = queue.next_assignment(ann, now=NOW)
        assert held is not None
        with transaction.atomic():
            read = access.lines(access.own_assignment(ann.rater, held.token, lock=True))
        expected = sorted(members_lines(one)) if number == 4 else None
        assert (sorted(read) if read is not None else None) == expected
        sent: Any = {"submission_id": held.submission_id, "answer": Answer(SCORES), "now": NOW}
        queue.submit(ann.rater, held.token, **sent)
