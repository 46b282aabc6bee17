"""What people can do to a study's ratings, in any order: a report that was kept says what one made anew says."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from annotation.management.commands.study_report import as_json
from annotation.models import Adjudication, Assignment, Membership, Rating, Score, Study
from annotation.monitoring import adjudication
from annotation.monitoring.adjudication import disputed_spreads
from annotation.monitoring.progress import live_agreement
from annotation.monitoring.raters import rater_rows
from annotation.rating import membership_changes, queue
from annotation.rating.answers import Answer
from annotation.reports.loading import findings_of
from annotation.reports.tables import study_tables
from tests.annotation.setting import NOW, TWO, corpus, member, rubric, study, user

KEYS = ("natural", "engaging")
KEPT = (Membership, Assignment, Rating, Score, Adjudication)
RATERS = 4
WHO = st.integers(0, RATERS - 1)
POINTS = st.integers(1, 5)


class ReportMachine(RuleBasedStateMachine):
    """One study of four dialogues and four raters, some of which are rated before anything happens to them."""

    @initialize(
        k=st.sampled_from([None, 1, 2]),
        policy=st.sampled_from(list(Study.Withdrawal)),
        counts=st.booleans(),
        order=st.lists(st.tuples(WHO, POINTS), min_size=4, max_size=16),
    )
    def begin(self, k: int | None, policy: str, counts: bool, order: list[tuple[int, int]]) -> None:
        self.block = transaction.atomic()
        self.block.__enter__()
        self.study = study(
            k,
            of=corpus(2, TWO),
            versions=TWO,
            withdrawal=policy,
            counts_screened_out=counts,
            rubric=rubric(*KEYS),
        )
        self.rows, self.anew = rows_of_everything(), ""
        self.raters = [member(self.study, f"rater-{number}").pk for number in range(RATERS)]
        self.researcher = user("researcher", "researcher")
        for who, point in order:
            self.rate(who, point)

    def teardown(self) -> None:
        if hasattr(self, "block"):
            transaction.set_rollback(True)
            self.block.__exit__(None, None, None)

    @rule(who=WHO, point=POINTS)
    def rate(self, who: int, point: int) -> None:
        rater = self.rater(who)
        held = queue.next_assignment(rater, now=NOW) if rater else None
        if held:
            self.says(held, held.submission_id, point)

    @rule(who=WHO, which=st.integers(0, 3), point=POINTS)
    def correct(self, who: int, which: int, point: int) -> None:
        rater = self.rater(who)
        rated = list(rater.assignments.filter(state=Assignment.State.SUBMITTED).order_by("pk")) if rater else []
        if rated:
            self.says(rated[which % len(rated)], uuid.uuid4(), point)

    @rule(who=WHO)
    def take_back(self, who: int) -> None:
        rater = self.rater(who)
        last = Rating.objects.filter(assignment__membership=rater).order_by("-pk").first() if rater else None
        if last:
            self.tries(queue.take_back, last.assignment, now=NOW)

    @rule(who=WHO)
    def exclude(self, who: int) -> None:
        if rater := self.rater(who):
            membership_changes.exclude(membership=rater, reason="a reason", by=None)

    @rule(who=WHO)
    def reinstate(self, who: int) -> None:
        if rater := self.rater(who):
            membership_changes.reinstate(membership=rater, by=None)

    @rule(first=WHO, second=WHO)
    def exclude_one_in_place_of_the_other(self, first: int, second: int) -> None:
        self.exclude(first)
        self.reinstate(second)

    @rule(who=WHO)
    def screen_out(self, who: int) -> None:
        rater = self.rater(who)
        if rater and rater.is_ongoing:
            membership_changes.screen_out(membership=rater, lapses=1, now=NOW)

    @rule(who=WHO)
    def withdraw(self, who: int) -> None:
        if rater := self.rater(who):
            membership_changes.withdraw(membership=rater, by=rater.rater)

    @rule(which=st.integers(0, 3), metric=st.sampled_from(KEYS), value=POINTS)
    def adjudicate(self, which: int, metric: str, value: int) -> None:
        item = self.study.items.get(position=which)
        newest = item.adjudications.filter(metric=metric).first()
        seen = newest.pk if newest else 0
        adjudication.settle(item=item, metric=metric, value=value, reason="why", seen=seen, by=self.researcher)

    @invariant()
    def what_was_kept_is_what_is_found_anew(self) -> None:
        """Anew after each step that changed a row: the others cannot change what is found."""
        kept, rows = shown(self.study), rows_of_everything()
        if not self.anew or rows != self.rows:
            with nothing_kept():
                self.rows, self.anew = rows, shown(self.study)
        assert kept == self.anew

    # --- helpers -------------------------------------------------------------------------------

    def rater(self, who: int) -> Membership | None:
        found = Membership.objects.select_related("study__rubric", "rater").get(pk=self.raters[who])
        return None if found.withdrawn_at else found

    def says(self, held: Assignment, submission_id: uuid.UUID, point: int) -> None:
        scores = {key: 1 + (point + place) % 5 for place, key in enumerate(KEYS)}
        self.tries(queue.submit, held, submission_id=submission_id, answer=Answer(scores), now=NOW)

    def tries(self, do: Any, held: Assignment, **rest: Any) -> None:
        """What the queue refuses changes nothing."""
        rater = Membership.objects.select_related("rater").get(pk=held.membership_id).rater
        try:
            with transaction.atomic():
                do(rater, held.token, **rest)
        except queue.QueueError:
            pass


def shown(of: Study) -> str:
    """All that pages, files and commands show of the study's ratings."""
    found = findings_of(of)
    tables = study_tables(of, found)
    rows = [(row.membership.pk, row.done, row.quality, row.remarks) for row in rater_rows(of)]
    return repr((as_json(of, found), tables, live_agreement(of), rows, disputed_spreads(of, KEYS[0])))


def rows_of_everything() -> list[list[Any]]:
    """Every row that something done to ratings could change."""
    return [list(model._default_manager.order_by("pk").values_list()) for model in KEPT]


@contextmanager
def nothing_kept() -> Iterator[None]:
    """As in a process that has kept nothing yet."""
    with mock.patch("core.results.kept", return_value=None):
        yield
