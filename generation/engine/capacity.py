"""How many more calls an endpoint takes, and whose they are: shared fairly between runners, and between runs.

A person who waits comes first: a live call is sent at once, and runs take what is left.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from math import ceil

from django.db.models import Count, QuerySet

from generation.engine.requests import Request
from generation.models import Call, Endpoint, LiveCall, Run, Runner, RunStage

NEWCOMER = timedelta(seconds=5)  # a runner younger than this counts although it has sent nothing yet
KEPT_FREE = 8  # one part in so many of a share stays free for a runner that has less than its share
KEPT_FOR_PEOPLE = 1  # places that runs leave free where people chat, so that the next message finds one
STILL_CHATTING = timedelta(minutes=2)  # since somebody was last answered at an endpoint
USUAL_LONGEST_REPLY = 1024  # tokens of a live call, where its parameters set no limit


def room(endpoint: Endpoint, owner: str, mine: int | None, now: datetime) -> int:
    """How many calls a runner may send beside the `mine` it has in flight; the caller holds the endpoint's lock.

    Calls of dead runners do not count: nobody knows whether they are still in flight.
    """
    sent = Call.objects.filter(state=Call.State.SENT, run_stage__endpoint=endpoint).order_by()
    taken: dict[str, int] = dict(sent.values_list("owner").annotate(Count("pk")))
    alive = dict(Runner.live(now).values_list("owner", "started_at"))
    others = [
        taken.get(name, 0)
        for name, started_at in alive.items()
        if name != owner and (name in taken or started_at > now - NEWCOMER)
    ]
    limit = endpoint.calls_at_once - _for_people(endpoint, now)
    return fair_room(max(0, limit), taken.get(owner, 0) if mine is None else mine, others)


def _for_people(endpoint: Endpoint, now: datetime) -> int:
    """Places that people's calls have, or are kept for them; an endpoint with one place keeps none."""
    live = LiveCall.objects.in_flight(endpoint, now).count()
    is_chatted_with = live or LiveCall.objects.filter(endpoint=endpoint, sent_at__gt=now - STILL_CHATTING).exists()
    return live + min(KEPT_FOR_PEOPLE, endpoint.calls_at_once - 1) if is_chatted_with else 0


def has_place_for_person(endpoint: Endpoint, now: datetime) -> bool:
    """Whether another live call may be sent: what runs have in flight does not count, they give way."""
    return LiveCall.objects.in_flight(endpoint, now).count() < endpoint.max_in_flight


def most_tokens(request: Request) -> int:
    """What a live call uses at worst."""
    return request.prompt_tokens + (request.longest_reply or USUAL_LONGEST_REPLY)


def sent_for_people(endpoint_pk: int, after: int | None) -> tuple[int, list[int]]:
    """The last live call at an endpoint, and the most tokens of each one after `after`; of none where that is None."""
    rows = LiveCall.objects.filter(endpoint=endpoint_pk)
    if after is None:
        last = rows.order_by("-pk").values_list("pk", flat=True).first()
        return last or 0, []
    fresh = list(rows.filter(pk__gt=after).order_by("pk"))
    sizes = [most_tokens(Request(call.messages, call.parameters)) for call in fresh]
    return (fresh[-1].pk if fresh else after), sizes


def fair_room(limit: int, mine: int, others: Sequence[int]) -> int:
    """How many free places a runner may take: up to its even share any of them, beyond it all but a few.

    Those few let other runners grow into their shares; if they do not need them, the endpoint loses no more than that.
    """
    free = limit - mine - sum(others)
    share = ceil(limit / (1 + len(others)))
    kept = sum(min(ceil(share / KEPT_FREE), max(0, share - theirs)) for theirs in others)
    return max(0, min(free, share - mine), free - kept)


def stages_by_run(endpoint: Endpoint, runs: Sequence[int]) -> tuple[dict[int, list[int]], set[int]]:
    """The endpoint's stages in running runs, by run, and the runs that have a token budget.

    `runs` limits them, if it names any. Stages that go in batches are left out.
    """
    rows = RunStage.objects.filter(endpoint=endpoint, run__state=Run.State.RUNNING, use_batch=False)
    rows = rows.order_by("run", "pk")
    found: dict[int, list[int]] = {}
    counting = set()
    for run_pk, pk, budget in (rows.filter(run__in=runs) if runs else rows).values_list(
        "run", "pk", "run__token_budget"
    ):
        found.setdefault(run_pk, []).append(pk)
        if budget is not None:
            counting.add(run_pk)
    return found, counting


def waiting_calls(stages: Mapping[int, Sequence[int]], most: int, now: datetime) -> list[Call]:
    """Lock up to `most` waiting calls of these stages: an even share for each run, the rest to those that need more."""
    found: dict[int, Call] = {}
    hungry = list(stages)
    while hungry and len(found) < most:
        share = ceil((most - len(found)) / len(hungry))
        for run_pk in list(hungry):
            wanted = min(share, most - len(found))
            rows = _due(run_pk, stages[run_pk], now).exclude(pk__in=found)[:wanted] if wanted else ()
            found |= {call.pk: call for call in rows}
            if len(rows) < share:
                hungry.remove(run_pk)
    return list(found.values())


def _due(run_pk: int, stages: Sequence[int], now: datetime) -> QuerySet[Call]:
    locked = Call.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
    return locked.filter(run=run_pk).due(stages, now).select_related("dialogue")
