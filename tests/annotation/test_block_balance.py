"""What a process has kept of the raters' courses says the same as reading all of them anew."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from annotation.allocation import block_balance
from annotation.allocation.block_state import BlockState
from annotation.models import Membership, Study
from annotation.rating import membership_changes, queue
from annotation.rating.answers import Answer
from tests.annotation.setting import NOW, SCORES, corpus, member, study

NAMES = ("ann", "bob", "cleo", "dora")
STEPS = ("rate", "rate", "rate", "screen out", "exclude", "withdraw", "deactivate")


def chosen(membership: Membership, now: datetime) -> Any:
    return block_balance.next_row(membership, BlockState.of(membership), now)


def chosen_anew(membership: Membership, now: datetime) -> Any:
    kept = dict(block_balance._kept)
    block_balance._kept.clear()
    try:
        return chosen(membership, now)
    finally:
        block_balance._kept.update(kept)


def do(step: str, person: Membership, now: datetime) -> None:
    person.refresh_from_db()
    if step == "exclude":
        membership_changes.exclude(membership=person, reason="too fast", by=None)
    elif step == "withdraw":
        membership_changes.withdraw(membership=person, by=None)
    elif step == "screen out":
        membership_changes.screen_out(membership=person, lapses=1, now=now)
    elif step == "deactivate":
        User.objects.filter(pk=person.rater_id).update(is_active=False)
    elif (held := queue.next_assignment(person, now=now)) is not None:
        queue.submit(person.rater, held.token, submission_id=held.submission_id, answer=Answer(SCORES), now=now)


class KeptCourses(TestCase):
    @settings(max_examples=10, deadline=None)
    @given(
        st.lists(st.tuples(st.sampled_from(STEPS), st.sampled_from(NAMES)), min_size=8, max_size=24),
        st.sampled_from([None, 3]),
        st.sampled_from(Study.Withdrawal.values),
    )
    def test_a_row_is_chosen_as_if_all_were_read_anew(
        self, steps: list[tuple[str, str]], k: int | None, policy: str
    ) -> None:
        one = study(k, of=corpus(8), withdrawal=policy)
        people = {name: member(one, name) for name in NAMES}
        for number, (step, name) in enumerate(steps):
            now = NOW + timedelta(minutes=number)
            do(step, people[name], now)
            for person in Membership.objects.filter(study=one).select_related("study"):
                assert chosen(person, now) == chosen_anew(person, now)


@pytest.mark.django_db
def test_only_what_changed_is_read_again(django_assert_num_queries: Any) -> None:
    one = study(2, of=corpus(8))
    people = [member(one, name) for name in NAMES]
    for person in people:
        do("rate", person, NOW)
    ann = Membership.objects.select_related("study").get(pk=people[0].pk)
    with django_assert_num_queries(2):
        chosen(ann, NOW)
    with django_assert_num_queries(1):
        chosen(ann, NOW)
    do("rate", people[1], NOW)
    with django_assert_num_queries(2) as asked:
        chosen(ann, NOW)
    assert f"IN ({people[1].pk})" in asked[1]["sql"]


@pytest.mark.django_db
def test_what_is_kept_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block_balance, "MOST_KEPT", 2)
    one = study(2, of=corpus(8))
    people = [member(one, name) for name in NAMES]
    for _ in range(3):
        for person in people:
            do("rate", person, NOW)
            assert chosen(Membership.objects.select_related("study").get(pk=person.pk), NOW)
            assert len(block_balance._kept) <= 2 + len(NAMES)
