"""Celery tasks that run the engine. A message only wakes a worker: the database holds the work itself.

The registered task names must not change: workers read messages that an earlier version queued.
"""

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
from generation.live import calls
from generation.models import Call, Run, Runner

log = logging.getLogger(__name__)

RUNNER_SECONDS = 120  # of claiming; with the slowest answers well below the task time limit
SWEEP_SECONDS = 15
LONGEST_DELAY = timedelta(minutes=5)  # until a worker is woken


@shared_task(name="generation.run_calls")
def run_calls(run_pk: int | None = None) -> None:
    """Send waiting calls for a while, then wake the next worker if work is left, so that other tasks get a turn."""
    plan = Plan(runs=(run_pk,) if run_pk else (), seconds=RUNNER_SECONDS, told_to_stop=loops.is_shutting_down)
    totals = loops.of_this_process().run(_send(plan))
    log.info("sent %d calls: %d answered, %d troubles", totals.sent, totals.answered, totals.troubles)
    wake_if_needed(soon=True)
    wake_for_batches()


async def _send(plan: Plan) -> Totals:
    clients = loops.of_this_process().clients
    totals = await CallRunner(plan, clients).run()
    await clients.close_oldest()
    return totals


@shared_task(name="generation.sweep")
def sweep() -> None:
    """Recover what dead workers left behind, and wake a worker if calls wait and no runner is alive to send them."""
    ledger.recover()
    calls.recover(timezone.now())
    reading.read_all()
    wake_if_needed()
    wake_for_batches()


@shared_task(name="generation.tend_batches")
def tend_batches() -> None:
    """Hand over, poll and collect batches; any number of these tasks may run at once."""
    found = rounds.advance(loop=loops.of_this_process())
    log.info("%d batches are open", found.open)
    wake_if_needed()


def wake_workers(delay: timedelta = timedelta()) -> None:
    """Tell a worker that there is work. The message expires after two sweeps; a later sweep sends another."""
    seconds = delay.total_seconds()
    if seconds:
        run_calls.apply_async(countdown=seconds, expires=seconds + 2 * SWEEP_SECONDS)
    else:
        run_calls.apply_async(expires=2 * SWEEP_SECONDS)


def wake_for_batches() -> None:
    """Tell a worker that batches are due to be handed over, polled or collected."""
    if rounds.is_due(timezone.now()):
        tend_batches.apply_async(expires=SWEEP_SECONDS - 1)


def wake_if_needed(*, soon: bool = False) -> None:
    """Wake a worker for waiting calls that no live runner sends.

    With `soon`, also schedule a worker for the time when the first held-back call becomes due, so that it goes out
    even if no timer process sweeps. A runner limited to some runs, such as `manage.py run start`, sends only theirs.
    """
    now = timezone.now()
    at_work = list(Runner.live(now).values_list("runs", flat=True))
    if [] in at_work:
        return
    taken = [run for runs in at_work for run in runs]
    if Call.objects.claimable(now).exclude(run__in=taken).exists():
        wake_workers()
    elif soon and (due := first_due(taken)) is not None:
        wake_workers(min(max(due - now, timedelta(seconds=1)), LONGEST_DELAY))


def first_due(taken: Sequence[int] = ()) -> datetime | None:
    """When the first waiting call of a running run may be sent, leaving out the runs in `taken`."""
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
