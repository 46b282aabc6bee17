"""Calls in flight follow what the endpoint takes: down on a 429, up after a while of success."""

from datetime import timedelta

import pytest
from django.utils import timezone

from demo.model.faults import DemoSettings
from generation.endpoints.client import CallError, Trouble
from generation.engine import ledger
from generation.engine.ledger import Claimed, Settlement
from generation.models import Call, Endpoint, Run, Runner, Stage
from tests.demo_server import DemoServer
from tests.generation.runs import NOWHERE, endpoint_at, small_corpus, started, work

SECOND = timedelta(seconds=1)


@pytest.fixture
def endpoint() -> Endpoint:
    return endpoint_at(NOWHERE, max_in_flight=16)


def claim(endpoint: Endpoint, most: int, after: timedelta = timedelta()) -> list[Claimed]:
    now = timezone.now() + after
    Runner.beat("me", now)
    return ledger.claim("me", endpoint.pk, most, now=now)


def refuse(calls: list[Claimed], after: timedelta = timedelta()) -> Endpoint:
    error = CallError(Trouble.RATE_LIMITED, "too many", 0.0)
    ledger.settle("me", [Settlement(call.pk, call.attempt, error) for call in calls], now=timezone.now() + after)
    return Endpoint.objects.get()


@pytest.mark.django_db
def test_a_burst_of_refusals_lowers_the_limit_once_by_a_quarter(endpoint: Endpoint) -> None:
    started(small_corpus(20), endpoint)
    calls = claim(endpoint, 16)
    assert refuse(calls[:6], SECOND).in_flight_limit == 12
    assert refuse(calls[6:], 2 * SECOND).in_flight_limit == 12


@pytest.mark.django_db
def test_a_call_sent_after_the_limit_fell_lowers_it_again_and_never_below_one(endpoint: Endpoint) -> None:
    started(small_corpus(20), endpoint)
    limits = []
    for number in range(12):
        (call,) = claim(endpoint, 1, 4 * number * SECOND)
        limits.append(refuse([call], (4 * number + 1) * SECOND).in_flight_limit)
    assert limits[:4] == [12, 9, 6, 4]
    assert limits[-1] == 1
    assert len(claim(endpoint, 10, timedelta(minutes=10))) == 1


@pytest.mark.django_db
def test_a_lowered_limit_is_shared_by_all_workers_through_the_ledger(endpoint: Endpoint) -> None:
    started(small_corpus(20), endpoint)
    refuse(claim(endpoint, 1), SECOND)
    assert len(claim(endpoint, 8, 2 * SECOND)) == 8
    Runner.beat("other", timezone.now())
    assert len(ledger.claim("other", endpoint.pk, 16, now=timezone.now() + 2 * SECOND)) == 4


@pytest.mark.django_db
def test_the_limit_rises_up_to_what_a_person_set_and_no_further(endpoint: Endpoint) -> None:
    endpoint.raise_limit(3)
    assert Endpoint.objects.get().in_flight_limit is None
    Endpoint.objects.update(in_flight_limit=4)
    endpoint.raise_limit(2)
    assert Endpoint.objects.get().in_flight_limit == 6
    endpoint.raise_limit(50)
    assert (Endpoint.objects.get().in_flight_limit, Endpoint.objects.get().calls_at_once) == (None, 16)


@pytest.mark.django_db(transaction=True)
def test_an_endpoint_that_keeps_refusing_still_answers_every_call_in_the_end(demo_model: DemoServer) -> None:
    demo_model.settings = DemoSettings(seed=3, retry_after=0.05, faults={"rate_limited": 0.8})
    run = started(small_corpus(5), endpoint_at(demo_model.base_url, max_in_flight=8))
    work(run)
    run.refresh_from_db()
    assert run.state == Run.State.FINISHED
    assert run.calls.filter(stage=Stage.FURTHER_SPLIT, state=Call.State.DONE).count() == 5
    assert demo_model.stats()["answered_again"] == 0


@pytest.mark.django_db(transaction=True)
def test_success_at_a_full_endpoint_raises_a_lowered_limit(demo_model: DemoServer) -> None:
    run = started(small_corpus(60), endpoint_at(demo_model.base_url, max_in_flight=8), stages=[Stage.THEME])
    Endpoint.objects.update(in_flight_limit=2, limit_changed_at=timezone.now())
    work(run)
    limit = Endpoint.objects.get().in_flight_limit
    assert limit is not None
    assert 3 <= limit <= 5
