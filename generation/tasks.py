"""Celery's doors to the engine. Messages are doorbells: what there is to do stands in the ledger."""

import asyncio
import logging

from celery import shared_task
from django.utils import timezone

from generation import ledger, reading
from generation.models import Call, Runner
from generation.runner import CallRunner, Plan

log = logging.getLogger(__name__)

RUNNER_SECONDS = 120  # of claiming; with the slowest answers well below the task time limit
SWEEP_SECONDS = 15


@shared_task(name="generation.run_calls")
def run_calls(run_pk: int | None = None) -> None:
    """Send waiting calls for a while; where work is left, ring again and make room for others."""
    runner = CallRunner(Plan(runs=(run_pk,) if run_pk else (), seconds=RUNNER_SECONDS))
    totals = asyncio.run(runner.run())
    log.info("sent %d calls: %d answered, %d troubles", totals.sent, totals.answered, totals.troubles)
    ring_if_needed()


@shared_task(name="generation.sweep")
def sweep() -> None:
    """Recover what dead workers left behind, and ring where work waits and nobody is at it."""
    ledger.recover()
    reading.read_all()
    ring_if_needed()


def ring() -> None:
    """Tell a worker that there is work. A bell nobody hears for a sweep's time is silent; the next sweep rings."""
    run_calls.apply_async(expires=2 * SWEEP_SECONDS)


def ring_if_needed() -> None:
    now = timezone.now()
    if Call.objects.claimable(now).exists() and not Runner.live(now).exists():
        ring()
