"""Everything that can happen to a study's queue, in any order, and what holds after each step.

What raters said is kept here as well, in plain dictionaries; the database must say the same.
"""

import csv
import io
import uuid
from collections import Counter, defaultdict
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import transaction
from django.http import Http404
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from annotation.allocation import orders
from annotation.allocation import repeats as repeating
from annotation.design import launch
from annotation.design.drafting import DesignError
from annotation.models import Assignment, Membership, Rating, Score, Study
from annotation.monitoring import states
from annotation.rating import membership_changes, queue
from annotation.rating.answers import Answer
from annotation.reports.exports import ratings_csv
from tests.annotation.setting import ALL, KEYS, corpus, member, study

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
MOST_RATERS = 5
WHO = st.integers(0, MOST_RATERS - 1)
SCORES = st.lists(st.integers(1, 5), min_size=len(KEYS), max_size=len(KEYS))
FLAGS = st.sampled_from(["", "offensive", "unreadable"])


class QueueMachine(RuleBasedStateMachine):
    """One study, up to five raters and a researcher."""

    @initialize(
        k=st.sampled_from([None, 1, 2, 3]),
        versions=st.integers(1, 4),
        backgrounds=st.integers(1, 3),
        policy=st.sampled_from(list(Study.Withdrawal)),
        counts=st.booleans(),
        raters=st.integers(1, 4),
        repeats=st.integers(0, 3),
    )
    def begin(
        self, k: int | None, versions: int, backgrounds: int, policy: str, counts: bool, raters: int, repeats: int
    ) -> None:
        self.block = transaction.atomic()
        self.block.__enter__()
        self.now = START
        chosen = ALL[:versions]
        self.study = study(
            k,
            of=corpus(backgrounds + 1, chosen),
            versions=chosen,
            background_count=backgrounds,
            withdrawal=policy,
            counts_screened_out=counts,
        )
        # More, and sooner, than a study as small as these has them.
        self.sooner = ExitStack()
        for room, name, value in ((orders, "BETWEEN", 1), (repeating, "BETWEEN", 1), (repeating, "ITEMS_A_REPEAT", 2)):
            self.sooner.enter_context(mock.patch.object(room, name, value))
        Study.objects.filter(pk=self.study.pk).update(hidden_repeats=repeats)
        self.study.hidden_repeats = repeats
        self.most_items = (backgrounds + 1) * versions
        self.raters = [member(self.study, f"rater-{number}").pk for number in range(raters)]
        # By assignment, the scores and flag that count as its rater's word.
        self.said: dict[int, tuple[dict[str, int], str]] = {}

    def teardown(self) -> None:
        if hasattr(self, "sooner"):
            self.sooner.close()
        if hasattr(self, "block"):
            transaction.set_rollback(True)
            self.block.__exit__(None, None, None)

    # --- raters --------------------------------------------------------------------------------

    @precondition(lambda self: len(self.raters) < MOST_RATERS)
    @rule()
    def join(self) -> None:
        if self.study.takes_raters:
            self.raters.append(member(self.study, f"rater-{len(self.raters)}").pk)

    @rule(minutes=st.sampled_from([1, 30, 61]))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(who=WHO)
    def look(self, who: int) -> None:
        rater = self.rater(who)
        if rater:
            held = queue.next_assignment(rater, now=self.now)
            assert held is None or held.membership_id == rater.pk
            assert held is None or (self.study.is_open and rater.is_ongoing)

    @rule(who=WHO, scores=SCORES)
    def draft(self, who: int, scores: list[int]) -> None:
        held = self.held(who)
        if held:
            answer = Answer(dict(zip(KEYS[:3], scores, strict=False)))
            self.tries(queue.save_draft, held, version=held.draft_version, answer=answer, now=self.now)

    @rule(who=WHO, scores=SCORES, flag=FLAGS, times=st.integers(1, 3))
    def submit(self, who: int, scores: list[int], flag: str, times: int) -> None:
        self.submit_one(who, Answer(dict(zip(KEYS, scores, strict=True)), flag=flag), times)

    @rule(who=WHO, scores=SCORES, many=st.integers(2, 5))
    def rate_several(self, who: int, scores: list[int], many: int) -> None:
        for _ in range(many):
            self.submit_one(who, Answer(dict(zip(KEYS, scores, strict=True))), 1)

    @rule(who=WHO, which=st.integers(0, 20), scores=SCORES)
    def correct(self, who: int, which: int, scores: list[int]) -> None:
        rated = self.mine(who, Assignment.State.SUBMITTED)
        if rated:
            self.says(rated[which % len(rated)], uuid.uuid4(), Answer(dict(zip(KEYS, scores, strict=True))), 1)

    @rule(who=WHO, which=st.integers(0, 20), scores=SCORES)
    def rate_what_was_skipped(self, who: int, which: int, scores: list[int]) -> None:
        aside = self.mine(who, Assignment.State.SKIPPED)
        if aside:
            self.says(aside[which % len(aside)], uuid.uuid4(), Answer(dict(zip(KEYS, scores, strict=True))), 1)

    @rule(who=WHO, times=st.integers(1, 2))
    def take_back(self, who: int, times: int) -> None:
        rater = self.rater(who)
        last = Rating.objects.filter(assignment__membership=rater).order_by("-pk").first() if rater else None
        for _ in range(times if last else 0):
            assert last is not None
            if self.tries(queue.take_back, last.assignment, now=self.now):
                self.said.pop(last.assignment_id, None)

    @rule(who=WHO)
    def skip(self, who: int) -> None:
        held = self.held(who)
        if held:
            self.tries(queue.skip, held, reason="unreadable")

    @rule(who=WHO)
    def withdraw(self, who: int) -> None:
        rater = self.rater(who)
        if rater:
            removes = self.study.withdrawal == Study.Withdrawal.REMOVE
            gone = set(rater.assignments.values_list("pk", flat=True)) if removes else set()
            membership_changes.withdraw(membership=rater, by=rater.rater)
            self.said = {pk: said for pk, said in self.said.items() if pk not in gone}

    @rule(who=WHO)
    def screen_out(self, who: int) -> None:
        """As the last of too many failed checks does."""
        rater = self.rater(who)
        if rater and rater.is_ongoing:
            membership_changes.screen_out(membership=rater, lapses=1, now=self.now)

    # --- the researcher ------------------------------------------------------------------------

    @rule(who=WHO)
    def exclude(self, who: int) -> None:
        rater = self.rater(who)
        if rater:
            membership_changes.exclude(membership=rater, reason="a reason", by=None)

    @rule(who=WHO)
    def reinstate(self, who: int) -> None:
        rater = self.rater(who)
        if rater:
            membership_changes.reinstate(membership=rater, by=None)

    @rule(who=WHO)
    def replace(self, who: int) -> None:
        rater = self.rater(who)
        if rater:
            membership_changes.replace(membership=rater, by=None)

    @precondition(lambda self: (self.study.raters_per_item or 9) < 3)
    @rule()
    def extend(self) -> None:
        more = self.study.raters_per_item + 1
        if self.study.state == Study.State.CLOSED:
            with pytest.raises(DesignError):
                launch.extend(study=self.study, raters_per_item=more, by=None)
        else:
            launch.extend(study=self.study, raters_per_item=more, by=None)

    @rule()
    def add_items(self) -> None:
        before = self.study.items.count()
        is_full = before == self.most_items
        if is_full or self.study.state == Study.State.CLOSED:
            with pytest.raises(DesignError):
                launch.add_items(study=self.study, backgrounds=1, by=None)
        else:
            assert launch.add_items(study=self.study, backgrounds=1, by=None) == self.study.items.count() - before

    @rule(state=st.sampled_from([Study.State.PAUSED, Study.State.OPEN, Study.State.OPEN]))
    def pause(self, state: str) -> None:
        if self.study.state != Study.State.CLOSED:
            Study.objects.filter(pk=self.study.pk).update(state=state)
            self.study.state = state

    @precondition(lambda self: len(self.said) > 10 and self.study.is_open)
    @rule()
    def close(self) -> None:
        states.close(study=self.study, by=None)
        self.study.state = Study.State.CLOSED

    # --- what always holds ---------------------------------------------------------------------

    @invariant()
    def every_item_has_exactly_its_places(self) -> None:
        k = self.study.raters_per_item
        slots: dict[int, list[int]] = {pk: [] for pk in self.study.items.values_list("pk", flat=True)}
        for item, slot in self.study.assignments.filter(slot__isnull=False).values_list("item_id", "slot"):
            slots[item].append(slot)
        assert all(sorted(found) == list(range(1, (k or 0) + 1)) for found in slots.values())

    @invariant()
    def no_item_has_too_many_ratings_and_none_too_few_once_nothing_is_open(self) -> None:
        k = self.study.raters_per_item
        if k is not None:
            rows = Rating.objects.counted().for_study(self.study).values_list("assignment__item_id", flat=True)
            counts = Counter(rows)
            assert max(counts.values(), default=0) <= k
            if not self.study.assignments.opened().filter(slot__isnull=False).exists():
                assert set(counts.values()) == {k}
                assert len(counts) == self.study.items.count()

    @invariant()
    def what_raters_said_last_is_current_and_whole(self) -> None:
        scores: dict[int, dict[str, int]] = defaultdict(dict)
        flags = {}
        rows = Score.objects.filter(rating__is_current=True, rating__assignment__study=self.study)
        for pk, flag, metric, value in rows.values_list("rating__assignment", "rating__flag", "metric", "value"):
            scores[pk][metric], flags[pk] = value, flag
        assert {pk: (scores[pk], flags[pk]) for pk in scores} == self.said
        submitted = self.study.assignments.filter(state=Assignment.State.SUBMITTED).values_list("pk", flat=True)
        assert set(submitted) == set(self.said)

    @invariant()
    def each_rating_supersedes_the_one_before_and_only_the_last_is_current(self) -> None:
        chains: dict[int, list[Rating]] = defaultdict(list)
        for rating in Rating.objects.filter(assignment__study=self.study).order_by("pk"):
            chains[rating.assignment_id].append(rating)
        for chain in chains.values():
            assert [one.supersedes_id for one in chain] == [None, *(one.pk for one in chain[:-1])]
            assert not any(one.is_current for one in chain[:-1])

    @invariant()
    def the_export_says_what_the_database_says(self) -> None:
        exported = list(csv.DictReader(io.StringIO("".join(ratings_csv(self.study)))))
        counted = set(self._counted())
        again = self._repeats_of(counted)
        assert Counter(row["purpose"] for row in exported) == +Counter(
            {"rated": len(KEYS) * len(counted), "repeat": len(KEYS) * len(again)}
        )
        said = sum(sum(self.said[pk][0].values()) for pk in counted | again)
        assert sum(int(row["value"]) for row in exported) == said
        assert Rating.objects.counted().for_study(self.study).count() == len(counted)

    def _counted(self) -> list[int]:
        """By our own rule: who holds a place; or whoever is neither excluded nor screened out, where there are none."""
        rows = Assignment.objects.filter(pk__in=self.said, is_repeat=False)
        if self.study.raters_per_item is not None:
            return list(rows.exclude(slot=None).values_list("pk", flat=True))
        if not self.study.counts_screened_out:
            rows = rows.filter(membership__screened_out_at=None)
        return list(rows.filter(membership__excluded_at=None).values_list("pk", flat=True))

    def _repeats_of(self, counted: set[int]) -> set[int]:
        """The scored repeats of what counts."""
        own = set(Assignment.objects.filter(pk__in=counted).values_list("item_id", "membership_id"))
        rows = Assignment.objects.filter(pk__in=self.said, is_repeat=True).values_list("pk", "item_id", "membership_id")
        return {pk for pk, *of in rows if tuple(of) in own}

    @invariant()
    def a_repeat_is_of_an_item_that_its_rater_scored_and_there_are_no_more_than_asked(self) -> None:
        repeats = list(self.study.assignments.filter(is_repeat=True).values_list("membership_id", "item_id"))
        firsts = Rating.objects.filter(assignment__study=self.study, assignment__is_repeat=False)
        assert set(repeats) <= set(firsts.values_list("assignment__membership_id", "assignment__item_id"))
        by_member = Counter(member for member, _ in repeats)
        assert max(by_member.values(), default=0) <= self.study.hidden_repeats

    # --- helpers -------------------------------------------------------------------------------

    def submit_one(self, who: int, answer: Answer, times: int) -> None:
        held = self.held(who)
        if held:
            self.says(held, held.submission_id, answer, times)

    def rater(self, who: int) -> Membership | None:
        pk = self.raters[who % len(self.raters)]
        found = Membership.objects.select_related("study__rubric", "rater").get(pk=pk)
        return None if found.withdrawn_at else found

    def held(self, who: int) -> Assignment | None:
        rater = self.rater(who)
        held = queue.next_assignment(rater, now=self.now) if rater else None
        return Assignment.objects.select_related("membership__rater").get(pk=held.pk) if held else None

    def mine(self, who: int, state: str) -> list[Assignment]:
        rater = self.rater(who)
        rows = Assignment.objects.filter(membership=rater, state=state).select_related("membership__rater")
        return list(rows.order_by("pk")) if rater else []

    def says(self, held: Assignment, submission_id: uuid.UUID, answer: Answer, times: int) -> None:
        for _ in range(times):
            if self.tries(queue.submit, held, submission_id=submission_id, answer=answer, now=self.now):
                self.said[held.pk] = (answer.scores, answer.flag)

    def tries(self, do: Any, held: Assignment, **rest: Any) -> bool:
        """Whether the queue took it; what it refuses must leave everything as it was, which the invariants see."""
        assert held.membership is not None
        try:
            with transaction.atomic():
                do(held.membership.rater, held.token, **rest)
        except (queue.QueueError, Http404):
            return False
        return True
