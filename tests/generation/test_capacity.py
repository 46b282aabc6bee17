"""How runners, and runs, share the free places of an endpoint."""

from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from generation.engine import capacity, ledger
from generation.models import Call, Endpoint, Run, Runner, Stage
from tests.generation.runs import NOWHERE, endpoint_at, small_corpus, started

some = st.integers(0, 500)


@given(limit=st.integers(1, 500), mine=some, others=st.lists(some, max_size=5))
def test_runners_together_never_pass_the_limit(limit: int, mine: int, others: list[int]) -> None:
    room = capacity.fair_room(limit, mine, others)
    assert room >= 0
    assert room == 0 or mine + sum(others) + room <= limit


@given(limit=st.integers(1, 500), mine=some)
def test_a_runner_alone_may_fill_the_endpoint(limit: int, mine: int) -> None:
    assert capacity.fair_room(limit, mine, []) == max(0, limit - mine)


@given(limit=st.integers(2, 500))
def test_a_runner_that_came_late_grows_to_its_share(limit: int) -> None:
    first, second = limit, 0
    for _ in range(limit):
        first -= 1
        first += capacity.fair_room(limit, first, [second])
        second += capacity.fair_room(limit, second, [first])
    assert second >= limit // 2


@pytest.mark.django_db
def test_a_second_runner_finds_places_that_the_first_leaves_free() -> None:
    endpoint = endpoint_at(NOWHERE, max_in_flight=8)
    started(small_corpus(20), endpoint)
    Runner.beat("first", timezone.now())
    Runner.beat("second", timezone.now())
    assert len(ledger.claim("first", endpoint.pk, 8)) == 7
    assert len(ledger.claim("first", endpoint.pk, 8)) == 0
    assert len(ledger.claim("second", endpoint.pk, 8)) == 1


@pytest.mark.django_db
def test_a_runner_that_sends_nothing_here_takes_no_places() -> None:
    endpoint = endpoint_at(NOWHERE, max_in_flight=8)
    started(small_corpus(20), endpoint)
    for name in ("first", "elsewhere"):
        Runner.beat(name, timezone.now())
    Runner.objects.update(started_at=timezone.now() - timedelta(minutes=1))
    assert len(ledger.claim("first", endpoint.pk, 8)) == 8


@pytest.mark.django_db
def test_what_one_run_does_not_need_another_takes() -> None:
    endpoint = endpoint_at(NOWHERE, max_in_flight=16)
    small, large = (started(small_corpus(size, f"of {size}"), endpoint) for size in (2, 20))
    Runner.beat("me", timezone.now())
    claimed = [call.run_pk for call in ledger.claim("me", endpoint.pk, 10)]
    assert (claimed.count(small.pk), claimed.count(large.pk)) == (2, 8)


@pytest.mark.django_db
def test_the_deepest_stage_goes_first() -> None:
    endpoint = endpoint_at(NOWHERE, max_in_flight=16)
    run = started(small_corpus(6), endpoint)
    last = run.calls.order_by("pk").last()
    assert last is not None
    pair = next(row for row in run.rows if row.stage == Stage.PAIR)
    deep = Call.objects.create(
        run=run, run_stage=pair, dialogue=last.dialogue, alpha=last.alpha, stage=Stage.PAIR, depth=1,
        not_before=timezone.now(),
    )  # fmt: skip
    Runner.beat("me", timezone.now())
    first, second = ledger.claim("me", endpoint.pk, 2)
    assert {first.pk, second.pk} == {deep.pk, run.calls.order_by("pk").first().pk}
    assert Endpoint.objects.get().calls_at_once == 16
    assert Run.objects.get().state == Run.State.RUNNING
