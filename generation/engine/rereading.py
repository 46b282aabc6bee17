"""Stored replies read once more, for nothing: after a mend of the parser, or with another threshold."""

import logging
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from dialogues.models import AuditEvent
from generation.engine import lifecycle, reading
from generation.engine.requests import subjects_of, with_stages
from generation.models import Call, CallQuerySet, Run
from generation.parsing import Outcome, ParseError

log = logging.getLogger(__name__)

PLACES_AT_ONCE = 50


def reread(run: Run, *, keep_share: float | None = None, calls: Sequence[int] | None = None, by: Any = None) -> int:
    """Read replies that were not usable again, all or those named; returns how many dialogues got further by it.

    Only where a dialogue has no usable answer to a stage and nothing is waiting or on its way there; its newest reply
    first. What is usable now is stored, and goes on, as if it had been from the start; nothing is sent twice and no
    reply is changed. `keep_share` (0–1) sets the run's threshold from now on. Raises ValueError where it is no share.
    """
    if keep_share is not None:
        set_keep_share(run, keep_share, by=by)
    usable = 0
    for keys in _handfuls(run, calls):
        found = _choose(run, keys)
        reading.read_replies(found)
        usable += len(found)
    with transaction.atomic():
        AuditEvent.record(by, "run.reread", run, usable=usable)
        if usable:
            lifecycle.go_on(run, by=by, after=set(Run.PauseCause.values) - {Run.PauseCause.HAND})
    return usable


@transaction.atomic
def set_keep_share(run: Run, share: float, *, by: Any = None) -> None:
    """The share of γ's words that a further-split must keep, for replies read from now on."""
    if not 0 <= share <= 1:
        raise ValueError("The share to keep is a number from 0 to 1.")
    if share != run.keep_share:
        Run.objects.filter(pk=run.pk).update(keep_share=share)
        AuditEvent.record(by, "run.keep_share", run, before=run.keep_share, after=share)
        run.keep_share = share


def _handfuls(run: Run, calls: Sequence[int] | None) -> Iterator[list[int]]:
    """Keys of unusable replies, whole places together, the newest reply of a place first."""
    rows = _unusable(run) if calls is None else _unusable(run).filter(pk__in=list(calls))
    place = ("depth", "run_stage__branch", "dialogue_id", "sample")
    found = rows.order_by(*place, "-run_stage__edition", "-repair", "-pk").values_list(*place, "pk")
    keys: list[int] = []
    for number, (_, group) in enumerate(groupby(list(found), key=lambda row: row[:4]), 1):
        keys += [row[4] for row in group]
        if number % PLACES_AT_ONCE == 0:
            yield keys
            keys = []
    if keys:
        yield keys


def _unusable(run: Run) -> CallQuerySet:
    """Answered calls of places where no answer was usable and none is to come."""
    same = Call.objects.filter(
        run=run, stage=OuterRef("stage"), run_stage__branch=OuterRef("run_stage__branch"),
        dialogue=OuterRef("dialogue"), sample=OuterRef("sample"),
    )  # fmt: skip
    coming = Q(state__in=(Call.State.TODO, Call.State.SENT, Call.State.AMBIGUOUS)) | Q(
        state=Call.State.DONE, outcome=""
    )
    answered = run.calls.exclude(raw_reply="", finish_reason="").exclude(outcome__in=("", Outcome.OK))
    return answered.exclude(Exists(same.filter(coming | Q(outcome=Outcome.OK))))


@transaction.atomic
def _choose(run: Run, keys: Sequence[int]) -> list[int]:
    """Mark the first reply of each place that is usable now as not read yet; the place's failures give way to it."""
    lifecycle.lock([run.pk])
    still = Call.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=_unusable(run).filter(pk__in=keys))
    rows = {call.pk: call for call in still.select_related("dialogue", "alpha")}
    calls = [rows[key] for key in keys if key in rows]
    found: dict[tuple[int, int, int, int], int] = {}
    for call, subject in zip(calls, subjects_of(with_stages(calls)), strict=True):
        place = (call.depth, call.run_stage.branch, call.dialogue_id, call.sample)
        if place not in found and _is_usable(call, subject):
            found[place] = call.pk
            others = run.calls.failed().filter(stage=call.stage, run_stage__branch=place[1])
            others.filter(dialogue=call.dialogue_id, sample=call.sample).exclude(pk=call.pk).update(replaced=True)
    chosen = list(found.values())
    Call.objects.filter(pk__in=chosen).update(state=Call.State.DONE, outcome="", replaced=False)
    return chosen


def _is_usable(call: Call, subject: Any) -> bool:
    try:
        reading.made_of(call, subject)
    except ParseError:
        return False
    except Exception:  # as at the first reading: a reply that breaks the parser keeps no other from being read
        log.exception("The reply of call %s could not be read", call.pk)
        return False
    return True
