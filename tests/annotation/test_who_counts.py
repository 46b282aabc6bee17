"""Who is present, at work, finished and counted, and that every page, file and figure goes by the same rule."""

from datetime import datetime, timedelta
from itertools import product
from typing import Any, NamedTuple

import pytest
from django.contrib.auth.models import User

from annotation.allocation.block_balance import members_lines
from annotation.allocation.slots import share
from annotation.models import Item, Membership, Rating, Study
from annotation.models.memberships import ONGOING
from annotation.monitoring import adjudication, balance
from annotation.monitoring.progress import rater_table, wanted
from annotation.monitoring.rater_views import distributions
from annotation.monitoring.raters import rater_rows
from annotation.rating import membership_changes, queue
from annotation.rating.answers import Answer
from annotation.recruitment import open_links
from annotation.recruitment.reminders import idle_raters
from annotation.reports.exports import ratings_csv
from annotation.reports.loading import findings_of
from tests.annotation.setting import NOW, corpus, fresh, member, rubric, study

pytestmark = pytest.mark.django_db
KEYS = ("natural",)
ALPHA = ("alpha",)

# Excluded, screened out, withdrew (from a study that keeps or removes scores), deactivated → present, part goes on, at
# work, counted, and counted where the study counts who is screened out.
TABLE = """
-  -  -       -   present  ongoing  active  counted  counted
-  -  -       de  present  ongoing  -       counted  counted
-  -  keep    -   -        -        -       counted  counted
-  -  keep    de  -        -        -       counted  counted
-  -  remove  -   -        -        -       -        -
-  -  remove  de  -        -        -       -        -
-  so -       -   present  -        -       -        counted
-  so -       de  present  -        -       -        counted
-  so keep    -   -        -        -       -        counted
-  so keep    de  -        -        -       -        counted
-  so remove  -   -        -        -       -        -
-  so remove  de  -        -        -       -        -
ex -  -       -   present  -        -       -        -
ex -  -       de  present  -        -       -        -
ex -  keep    -   -        -        -       -        -
ex -  keep    de  -        -        -       -        -
ex -  remove  -   -        -        -       -        -
ex -  remove  de  -        -        -       -        -
ex so -       -   present  -        -       -        -
ex so -       de  present  -        -       -        -
ex so keep    -   -        -        -       -        -
ex so keep    de  -        -        -       -        -
ex so remove  -   -        -        -       -        -
ex so remove  de  -        -        -       -        -
"""


class Case(NamedTuple):
    """One row of the table in a study of one kind; all but the withdrawal as truth values."""

    excluded: bool
    screened_out: bool
    withdrew: str
    deactivated: bool
    present: bool
    ongoing: bool
    active: bool
    counted: bool
    counts_screened_out: bool


def cases() -> list[Case]:
    rows = [line.split() for line in TABLE.strip().splitlines()]
    found = []
    for (excluded, screened_out, withdrew, deactivated, *says), counts in product(rows, (False, True)):
        present, ongoing, active, *counted = (word != "-" for word in says)
        who = (excluded != "-", screened_out != "-", withdrew, deactivated != "-")
        found.append(Case(*who, present, ongoing, active, counted[counts], counts))
    return found


def alphas(items: int, k: int | None, **fields: Any) -> Study:
    """So many originals with one question each."""
    return study(k, of=corpus(items, ALPHA), versions=ALPHA, rubric=rubric(*KEYS), **fields)


def name(case: Case) -> str:
    return f"{case.excluded:d}{case.screened_out:d}{case.withdrew}{case.deactivated:d}{case.counts_screened_out:d}"


def rate(rater: Membership, now: datetime = NOW, value: int = 4) -> bool:
    held = queue.next_assignment(fresh(rater), now=now)
    if held is None:
        return False
    answer = Answer(dict.fromkeys(KEYS, value))
    queue.submit(rater.rater, held.token, submission_id=held.submission_id, answer=answer, now=now)
    return True


def happen(case: Case, ann: Membership, *, replaced: bool) -> None:
    """All that makes the case so, by the functions that do it."""
    if case.screened_out:
        membership_changes.screen_out(membership=ann, lapses=1, now=NOW)
    if replaced:
        membership_changes.replace(membership=ann, by=None)
    if case.deactivated:
        User.objects.filter(pk=ann.rater_id).update(is_active=False)
    if case.excluded:
        membership_changes.exclude(membership=ann, reason="a reason", by=None)
    if case.withdrew != "-":
        membership_changes.withdraw(membership=ann, by=None)


def test_the_table_has_every_row_once() -> None:
    found = {case[:4] for case in cases()}
    assert found == set(product((False, True), (False, True), ("-", "keep", "remove"), (False, True)))
    assert len(cases()) == 2 * len(found)


@pytest.mark.parametrize("case", cases(), ids=name)
@pytest.mark.parametrize("k", [None, 2])
@pytest.mark.parametrize("replaced", [False, True], ids=["", "replaced"])
def test_queries_properties_pages_and_files_go_by_the_table(case: Case, k: int | None, replaced: bool) -> None:
    policy = "keep" if case.withdrew == "-" else case.withdrew
    fields = {"withdrawal": policy, "counts_screened_out": case.counts_screened_out}
    one = alphas(4, k, **fields)
    ann, bob = member(one, "ann"), member(one, "bob")
    assert rate(ann)
    assert rate(bob)
    happen(case, ann, replaced=replaced)
    who = fresh(ann)
    assert (who.is_ongoing, who.is_active, who.is_counted) == (case.ongoing, case.active, case.counted)
    for rows, says in (
        (one.memberships.present(), case.present),
        (one.memberships.filter(ONGOING), case.ongoing),
        (one.memberships.active(), case.active),
        (one.memberships.counted(), case.counted),
    ):
        assert list(rows.order_by("pk")) == ([ann, bob] if says else [bob])
    counts_are_those_of(case, one, ann)
    work_is_that_of(case, one, ann)


def counts_are_those_of(case: Case, one: Study, ann: Membership) -> None:
    """Ratings, report, export, quality, the use of the scale, balance and disputed items."""
    counted, ratings = 1 + case.counted, Rating.objects.counted().for_study(one)
    assert ratings.filter(assignment__membership=ann).count() == case.counted
    assert ratings.count() == counted
    found = findings_of(one)
    assert (found.ratings, len(found.raters)) == (counted, counted)
    assert found.screened_out == case.screened_out
    assert "".join(ratings_csv(one)).count("\r\n") == 1 + len(KEYS) * counted
    assert "".join(adjudication.scores_csv(one)).count("\r\n") == 1 + len(KEYS) * counted
    assert sum(len(adjudication.item_ratings(item)) for item in Item.objects.filter(study=one)) == counted
    assert balance.report(one).raters == counted
    assert [row.membership.is_counted for row in rater_rows(one)] == [case.counted, True]
    bob = one.memberships.order_by("pk").last()
    assert bob is not None
    others = sum(share or 0 for one_metric in distributions(bob) for _, _, share in one_metric.cells)
    assert bool(others) == case.counted


def work_is_that_of(case: Case, one: Study, ann: Membership) -> None:
    """The queue, the order of the others, an even share, what is wanted, reminders and the limit of an open link."""
    active = 1 + case.active
    assert [is_here for pk, _, _, is_here in members_lines(one) if pk == ann.pk] == [case.active] * case.counted
    assert open_links.taken(one) == active
    assert sum(row.membership.is_active for row in rater_table(one)) == active
    if one.raters_per_item is None:
        assert (share(one), wanted(one)) == (4, 4 * active + (case.counted and not case.active))
    else:
        assert (share(one), wanted(one)) == (min(4, 8 // active), 8)
    idle = [row.membership.pk for row in idle_raters(one, 0, NOW + timedelta(days=9999))]
    assert (ann.pk in idle) == case.active
    assert (queue.next_assignment(fresh(ann), now=NOW) is not None) == case.ongoing


@pytest.mark.parametrize("k", [None, 1])
def test_who_has_rated_and_has_nothing_left_has_finished(k: int | None) -> None:
    one = alphas(2, k)
    ann, bob = member(one, "ann"), member(one, "bob")
    assert rate(ann)
    assert not one.memberships.finished().exists()
    assert rate(ann)
    # Where the places were Ann's, none is left for Bob, who has rated nothing.
    assert list(one.memberships.finished()) == [ann]
    assert not rate(ann)
    assert rate(bob) == (k is None)
    assert list(one.memberships.finished()) == [ann]
    User.objects.filter(pk=ann.rater_id).update(is_active=False)
    assert not one.memberships.finished().exists()


def test_who_has_nothing_left_is_not_reminded_although_others_did_more() -> None:
    one = alphas(4, 1)
    ann, bob = member(one, "ann"), member(one, "bob")
    assert rate(bob)
    while rate(ann):
        pass
    assert share(one) == 2
    assert idle_raters(one, 0, NOW + timedelta(days=9999)) == []


def test_the_simulators_raters_are_at_work_although_nobody_can_log_in_as_one() -> None:
    one = alphas(2, None, is_simulated=True)
    ann = member(one, "ann")
    User.objects.filter(pk=ann.rater_id).update(is_active=False)
    assert list(one.memberships.active()) == [ann]
    assert fresh(ann).is_active
