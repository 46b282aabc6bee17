"""Processes that claim, settle, decide and read at the same time wait for each other and never deadlock."""

import threading
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from generation.endpoints.client import CallError, Trouble
from generation.engine import ledger, retrying
from generation.engine.ledger import Settlement
from generation.models import Call, Endpoint, Run
from tests.generation.calls import claim
from tests.generation.runs import NOWHERE, endpoint_at, small_corpus, started
from tests.waiting import until

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time"),
]


def apart(work: Callable[[], object]) -> tuple[threading.Thread, list[Exception]]:
    """Runs on a connection of its own; what went wrong is in the list."""
    troubles: list[Exception] = []

    def run() -> None:
        try:
            work()
        except Exception as error:
            troubles.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread, troubles


def somebody_waits_for_us() -> bool:
    """Whether another connection waits for a row that this one has locked."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid)))"
        )
        return bool(cursor.fetchone()[0])


def test_a_refusal_and_a_wrong_key_in_one_batch_do_not_meet_a_claim_in_a_circle() -> None:
    endpoint = endpoint_at(NOWHERE, price_in=Decimal(1))
    run = started(small_corpus(4), endpoint)
    calls = claim(endpoint, 2)
    locked = threading.Event()

    def claiming() -> None:
        """What a claim at a price does: the endpoint first, and its runs a moment later."""
        with transaction.atomic():
            Endpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)
            locked.set()
            until(somebody_waits_for_us, "the ledger waits for the endpoint", seconds=10)
            Run.objects.select_for_update(no_key=True).get(pk=run.pk)

    thread, troubles = apart(claiming)
    assert locked.wait(10)
    results = [CallError(Trouble.AUTH, "wrong key"), CallError(Trouble.RATE_LIMITED, "slower", 1.0)]
    ledger.settle(
        "me", [Settlement(call.pk, call.attempt, result) for call, result in zip(calls, results, strict=True)]
    )
    thread.join(30)
    assert troubles == []
    run.refresh_from_db()
    assert run.state == Run.State.PAUSED
    assert run.calls.filter(state=Call.State.TODO).count() == 4


def test_a_decision_and_a_late_answer_do_not_meet_in_a_circle() -> None:
    endpoint = endpoint_at(NOWHERE, price_in=Decimal(1))
    run = started(small_corpus(2), endpoint)
    calls = claim(endpoint)
    ledger.recover(now=timezone.now() + timedelta(minutes=10))
    late = [Settlement(call.pk, call.attempt, CallError(Trouble.AMBIGUOUS, "silence")) for call in calls]
    thread, troubles = apart(lambda: [ledger.settle("me", late) for _ in range(20)])
    for _ in range(20):
        retrying.decide(run, resend=True)
        Call.objects.filter(run=run).update(state=Call.State.AMBIGUOUS, owner="me")
    thread.join(30)
    assert troubles == []
