"""Celery's doors to the engine. Messages are doorbells: what there is to do stands in the ledger."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from celery import shared_task
from celery.signals import worker_process_shutdown, worker_shutting_down
from django.db.models import Min
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from generation.batching import rounds
from generation.engine import ledger, loops, reading
from generation.engine.runner import CallRunner, Plan, Totals
from generation.models import Call, Run, Runner

log = logging.getLogger(__name__)

RUNNER_SECONDS = 120  # of claiming; with the slowest answers well below the task time limit
SWEEP_SECONDS = 15
LONGEST_DELAY = timedelta(minutes=5)  # of a bell


@shared_task(name="generation.run_calls")
def run_calls(run_pk: int | None = None) -> None:
    """Send waiting calls for a while; where work is left, ring again and make room for others."""
    plan = Plan(runs=(run_pk,) if run_pk else (), seconds=RUNNER_SECONDS, told_to_stop=loops.is_shutting_down)
    totals = loops.of_this_process().run(_send(plan))
    log.info("sent %d calls: %d answered, %d troubles", totals.sent, totals.answered, totals.troubles)
    ring_if_needed(soon=True)
    ring_for_batches()


async def _send(plan: Plan) -> Totals:
    clients = loops.of_this_process().clients
    totals = await CallRunner(plan, clients).run()
    await clients.close_oldest()
    return totals


@shared_task(name="generation.sweep")
def sweep() -> None:
    """Recover what dead workers left behind, and ring where work waits and nobody is at it."""
    ledger.recover()
    reading.read_all()
    ring_if_needed()
    ring_for_batches()


@shared_task(name="generation.tend_batches")
def tend_batches() -> None:
    """Hand over, look after and collect batches; any number of these may run side by side."""
    found = rounds.advance(loop=loops.of_this_process())
    log.info("%d batches are open", found.open)
    ring_if_needed()


def ring(delay: timedelta = timedelta()) -> None:
    """Tell a worker that there is work. A bell nobody hears for a sweep's time is silent; the next sweep rings."""
    seconds = delay.total_seconds()
    if seconds:
        run_calls.apply_async(countdown=seconds, expires=seconds + 2 * SWEEP_SECONDS)
    else:
        run_calls.apply_async(expires=2 * SWEEP_SECONDS)


def ring_for_batches() -> None:
    """Tell a worker of batches that are to be handed over, asked after or collected now."""
    if rounds.is_due(timezone.now()):
        tend_batches.apply_async(expires=SWEEP_SECONDS - 1)


def ring_if_needed(*, soon: bool = False) -> None:
    """Where nobody is at it, ring for calls that wait; `soon`: also for the first that becomes due, at its time.

    A process that sends for some runs alone, such as `manage.py run start`, is not at the others.

    So calls that were held back go out even where no timer process sweeps.
    """
    now = timezone.now()
    at_work = list(Runner.live(now).values_list("runs", flat=True))
    if [] in at_work:
        return
    taken = [run for runs in at_work for run in runs]
    if Call.objects.claimable(now).exclude(run__in=taken).exists():
        ring()
    elif soon and (due := first_due(taken)) is not None:
        ring(min(max(due - now, timedelta(seconds=1)), LONGEST_DELAY))


def first_due(taken: Sequence[int] = ()) -> datetime | None:
    """When the first waiting call of a running run may be sent; of others than those that are taken care of."""
    waiting = Call.objects.filter(state=Call.State.TODO, run__state=Run.State.RUNNING, run_stage__use_batch=False)
    waiting = waiting.exclude(run__in=taken)
    blocked = Coalesce("run_stage__endpoint__blocked_until", "not_before")
    found: datetime | None = waiting.aggregate(due=Min(Greatest("not_before", blocked)))["due"]
    return found


@worker_shutting_down.connect
def _tell_runners(**kwargs: Any) -> None:
    loops.shut_down()


@worker_process_shutdown.connect
def _close(**kwargs: Any) -> None:
    loops.close()
