"""Whole studies, rated to their end: every count within one of its ideal where the design allows it."""

import random
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils.html import escape

from annotation.models import Assignment, Membership, Study
from annotation.monitoring import balance
from annotation.monitoring.balance import BalanceReport
from annotation.rating import membership_changes, queue
from tests.annotation.setting import NOW, corpus, draft, member, study, user
from tests.people import client_of

pytestmark = pytest.mark.django_db
DROPOUT = 0.3


def rate_by_turns(of: Study, members: list[Membership], stop: dict[int, int] | None = None) -> None:
    """Raters see one item after another until nothing is left; `stop` says after how many a rater leaves.

    What is measured is order, so items are marked as submitted without scores.
    """
    now, seen, busy = NOW, dict.fromkeys((one.pk for one in members), 0), list(members)
    while busy:
        for rater in list(busy):
            now += timedelta(seconds=1)
            held = None if seen[rater.pk] == (stop or {}).get(rater.pk) else queue.next_assignment(rater, now=now)
            if held is None:
                busy.remove(rater)
                continue
            seen[rater.pk] += 1
            Assignment.objects.filter(pk=held.pk).update(state=Assignment.State.SUBMITTED)
            if seen[rater.pk] == (stop or {}).get(rater.pk):
                # Gone for good: nobody expects the rest of their block.
                User.objects.filter(pk=rater.rater_id).update(is_active=False)


def dropouts(members: list[Membership], most: int) -> dict[int, int]:
    rng = random.Random(3)
    return {one.pk: rng.randrange(1, most) for one in rng.sample(members, int(len(members) * DROPOUT))}


def members_of(of: Study, count: int) -> list[Membership]:
    return [member(of, f"rater-{number}") for number in range(count)]


def deviations(report: BalanceReport) -> tuple[float, float]:
    return report.position.largest_deviation, report.carry_over.largest_deviation


def test_three_raters_who_rate_everything_see_each_version_equally_often_everywhere() -> None:
    one = study(of=corpus(40))
    rate_by_turns(one, members_of(one, 3))
    report = balance.report(one)
    assert (report.shown, report.blocks, report.unfinished_blocks) == (480, 120, 0)
    assert deviations(report) == (0, 0)
    assert report.adjacent == 0
    assert report.unevenness == ()


def test_three_raters_of_three_raters_an_item_see_each_version_equally_often_everywhere() -> None:
    one = study(3, of=corpus(40))
    rate_by_turns(one, members_of(one, 3))
    report = balance.report(one)
    assert (report.shown, report.out_of_turn, report.adjacent) == (480, 0, 0)
    assert max(deviations(report)) <= 1
    assert report.unevenness == ()


@pytest.mark.parametrize("k", [None, 3])
def test_with_dropouts_counts_stay_within_one_of_ideal_or_the_report_says_why_not(k: int | None) -> None:
    # Where everyone scores everything, each rater has all of them.
    one = study(k, of=corpus(30 if k is None else 100))
    members = members_of(one, 20)
    rate_by_turns(one, members, dropouts(members, 120 if k is None else 60))
    report = balance.report(one)
    if k is not None:
        assert report.shown == 1200
    assert report.unfinished_blocks > 0
    position, carry_over = deviations(report)
    assert position <= 2
    assert carry_over <= 3
    assert bool(report.unevenness) == (max(position, carry_over) > 1)
    assert report.adjacent == 0


def test_what_raters_were_shown_is_the_same_in_the_report_and_in_their_own_counts() -> None:
    one = study(2, of=corpus(8))
    members = members_of(one, 5)
    rate_by_turns(one, members, {members[0].pk: 3})
    placed = [[0] * 4 for _ in range(4)]
    for rater in Membership.objects.filter(study=one):
        for total, own in zip(placed, rater.course["shown"][0], strict=True):
            total[:] = [a + b for a, b in zip(total, own, strict=True)]
    assert [list(row) for row in balance.report(one).position.counts] == placed


def test_few_backgrounds_are_said_to_make_no_blocks() -> None:
    one = study(of=corpus(2))
    rate_by_turns(one, members_of(one, 2))
    report = balance.report(one)
    assert "2 backgrounds for 4 versions" in report.unevenness[0]


def test_an_odd_number_of_versions_evens_out_after_both_squares() -> None:
    versions = ("alpha", "beta", "gamma")
    one = study(of=corpus(6, versions), versions=versions)
    rate_by_turns(one, members_of(one, 2))
    assert deviations(balance.report(one)) == (0, 0)


def test_an_excluded_rater_is_not_in_the_balance_and_the_others_make_up_for_it() -> None:
    one = study(of=corpus(12))
    first, second = members_of(one, 2)
    rate_by_turns(one, [first], {first.pk: 6})
    membership_changes.exclude(membership=first, reason="did not read", by=None)
    rate_by_turns(one, [second])
    report = balance.report(one)
    assert report.shown == 48
    assert deviations(report) == (0, 0)


def test_a_researcher_downloads_the_report_with_seed_and_versions_and_a_rater_does_not() -> None:
    one = study(of=corpus(4))
    rate_by_turns(one, members_of(one, 1))
    client = client_of(user("res", "researcher"))
    answer = client.get(reverse("study_balance_json", args=[one.pk]))
    found = answer.json()
    assert found["seed"] == 7
    assert sorted(found["versions"]) == ["alpha", "beta", "gamma", "stephanie"]
    assert found["position"]["counts"] == [[1] * 4] * 4
    assert found["carry_over"]["counts"][0][0] is None
    assert found["items_by_ratings"] == {"0": 16}
    assert "attachment" in answer["Content-Disposition"]
    client.force_login(user("rat"))
    assert client.get(reverse("study_balance_json", args=[one.pk])).status_code == 403


def test_a_researcher_reads_seed_counts_and_ideals_on_a_page_and_finds_the_file_there() -> None:
    one = study(of=corpus(4), seed=2**62 + 1)
    client = client_of(user("res", "researcher"))
    address = reverse("study_balance", args=[one.pk])
    assert address in client.get(one.get_absolute_url()).content.decode()
    assert "Nothing has been shown yet" in client.get(address).content.decode()
    people = members_of(one, 2)
    rate_by_turns(one, people, {people[0].pk: 3})
    page = client.get(address)
    shown = page.content.decode()
    assert str(2**62 + 1) in shown
    assert reverse("study_balance_json", args=[one.pk]) in shown
    report = balance.report(one)
    position, carry_over = page.context["tables"]
    symbols = dict(one.versions.values_list("slug", "symbol"))
    assert "α" in symbols.values()
    names = [row[0] for row in position.rows]
    assert names == [row[0] for row in carry_over.rows] == [*(symbols[slug] for slug in report.versions), "Ideal"]
    assert tuple(row[1:] for row in position.rows) == (*report.position.counts, report.position.ideal)
    assert tuple(row[1:] for row in carry_over.rows) == (*report.carry_over.counts, report.carry_over.ideal)
    assert f"Largest deviation from it: {report.position.largest_deviation:g}." in shown
    assert "1 not shown to their end" in shown
    for reason in report.unevenness:
        assert escape(reason) in shown


def test_a_draft_has_no_balance() -> None:
    client = client_of(user("res", "researcher"))
    assert client.get(reverse("study_balance", args=[draft(of=corpus(1), name="Draft").pk])).status_code == 404
    assert client.get(reverse("study_balance_json", args=[draft(of=corpus(1, name="Others")).pk])).status_code == 404
