"""Read stored replies once more, free of charge: after the parser was corrected, or with another threshold.

`review` says what would change, `reread` changes it. Nothing is sent, and no reply is changed.
"""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent
from generation.engine import lifecycle, reading
from generation.engine.differences import HELD, in_use, outcome_today, stored_by
from generation.engine.requests import subjects_of, with_stages
from generation.models import Call, CallQuerySet, Run, Stage
from generation.parsing import Outcome, ParseError
from generation.stages import Subject

log = logging.getLogger(__name__)

PLACES_AT_ONCE = 50
CALLS_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Change:
    """One reply that reads differently today. "ok" before and after means another usable answer than the stored one.

    `held`: the stored result stays, because it is in use.
    """

    call: int
    stage: Stage
    before: str
    after: str
    detail: str = ""
    held: bool = False


@dataclass(frozen=True, slots=True)
class Review:
    """What reading a run's replies again changes."""

    changes: Sequence[Change] = ()

    @property
    def made(self) -> list[Change]:
        """The changes that are, or would be, carried out."""
        return [change for change in self.changes if not change.held]

    @property
    def held(self) -> int:
        """How many stay as they are."""
        return len(self.changes) - len(self.made)

    @property
    def counts(self) -> list[tuple[Stage, str, str, bool, int]]:
        """(stage, outcome before, outcome after, held, replies), most frequent first."""
        rows = Counter((change.stage, change.before, change.after, change.held) for change in self.changes)
        return [(*row, n) for row, n in rows.most_common()]

    def as_json(self) -> list[dict[str, Any]]:
        """One object for each kind of change; `kept` means that the earlier reading stays."""
        names = ("stage", "before", "after", "kept", "calls")
        return [dict(zip(names, row, strict=True)) for row in self.counts]


def review(run: Run, *, keep_share: float | None = None, calls: Sequence[int] | None = None) -> Review:
    """What reading replies again (all, or those named) would change; changes nothing.

    Raises ValueError if `keep_share` is not from 0 to 1.
    """
    share, run = _share(run, keep_share), copy(run)
    run.keep_share = share
    found = [change for keys in _chunks(run, calls) for change in _unusable_changes(run, keys)]
    found += [change for keys in _usable(run, calls) for change in _usable_changes(run, keys)]
    return Review(found)


def reread(run: Run, *, keep_share: float | None = None, calls: Sequence[int] | None = None, by: Any = None) -> int:
    """Read replies again (all, or those named); returns how many calls changed.

    If a dialogue has no usable answer to a stage and no call waits or is in flight there, its newest reply that is
    usable now is stored and goes on to the next stage, as if it had been usable from the start. If a usable reply holds
    another answer than the stored one, that replaces it, unless something was built on the old one since: such a call
    gets a note. `keep_share` (0–1) sets the run's threshold from now on. Raises ValueError if it is not from 0 to 1.
    """
    if keep_share is not None:
        set_keep_share(run, keep_share, by=by)
    done = [change for keys in _chunks(run, calls) for change in _mend_unusable(run, keys)]
    usable = sum(change.after == Outcome.OK for change in done)
    done += [change for keys in _usable(run, calls) for change in _mend_usable(run, keys)]
    with transaction.atomic():
        told = {"changes": Review(done).as_json()} if done else {}
        AuditEvent.record(by, AuditVerb.RUN_REREAD, run, usable=usable, **told)
        if usable:
            lifecycle.go_on(run, by=by, after=set(Run.PauseCause.values) - {Run.PauseCause.HAND})
    return len(done)


@transaction.atomic
def set_keep_share(run: Run, share: float, *, by: Any = None) -> None:
    """The share of γ's words that a further-split must keep, for replies read from now on."""
    _share(run, share)
    if share != run.keep_share:
        Run.objects.filter(pk=run.pk).update(keep_share=share)
        AuditEvent.record(by, AuditVerb.KEEP_SHARE_CHANGED, run, before=run.keep_share, after=share)
        run.keep_share = share


def _share(run: Run, share: float | None) -> float:
    if share is not None and not 0 <= share <= 1:
        raise ValueError("The share to keep is a number from 0 to 1.")
    return run.keep_share if share is None else share


def _chunks(run: Run, calls: Sequence[int] | None) -> Iterator[list[int]]:
    """Keys of unusable replies, those of one place together and the newest first."""
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
    """Answered calls of places that have no usable answer and expect none."""
    same = Call.objects.filter(
        run=run, stage=OuterRef("stage"), run_stage__branch=OuterRef("run_stage__branch"),
        dialogue=OuterRef("dialogue"), sample=OuterRef("sample"),
    )  # fmt: skip
    coming = Q(state__in=(Call.State.TODO, Call.State.SENT, Call.State.AMBIGUOUS)) | Q(
        state=Call.State.DONE, outcome=""
    )
    answered = run.calls.exclude(raw_reply="", raw_body="", finish_reason="").exclude(outcome__in=("", Outcome.OK))
    return answered.exclude(Exists(same.filter(coming | Q(outcome=Outcome.OK))))


def _usable(run: Run, calls: Sequence[int] | None) -> Iterator[list[int]]:
    """Keys of usable calls, some at a time; none while the run is running, because new calls may build on them."""
    if Run.objects.running().filter(pk=run.pk).exists():
        return
    rows = _usable_rows(run) if calls is None else _usable_rows(run).filter(pk__in=list(calls))
    keys = list(rows.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(keys), CALLS_AT_ONCE):
        yield keys[start : start + CALLS_AT_ONCE]


def _usable_rows(run: Run) -> CallQuerySet:
    return run.calls.filter(state=Call.State.DONE, outcome=Outcome.OK).exclude(raw_reply="", raw_body="")


def _loaded(rows: CallQuerySet, run: Run, keys: Sequence[int]) -> list[tuple[Call, Subject]]:
    """These calls and what their stages read, in the order of the keys; they use the given run's threshold."""
    found = {call.pk: call for call in rows.filter(pk__in=keys).select_related("dialogue", "alpha")}
    calls = with_stages([found[key] for key in keys if key in found])
    for call in calls:
        call.run.keep_share = run.keep_share
    return list(zip(calls, subjects_of(calls), strict=True))


def _unusable_changes(run: Run, keys: Sequence[int]) -> list[Change]:
    return _places_today(_loaded(_unusable(run), run, keys))


def _places_today(calls: Sequence[tuple[Call, Subject]]) -> list[Change]:
    """For each place the first reply that is usable now, else failures whose outcome has another name now."""
    found: list[Change] = []
    for _, group in groupby(calls, key=lambda pair: _place(pair[0])):
        tried = [(call, *_problem(call, subject)) for call, subject in group]
        usable = [row for row in tried if row[1] == Outcome.OK][:1]
        renamed = [row for row in tried if row[0].state == Call.State.FAILED and row[1] != row[0].outcome]
        chosen = usable or [row for row in renamed if not row[0].replaced]
        found += [Change(call.pk, Stage(call.stage), call.outcome, now, why) for call, now, why in chosen]
    return found


def _place(call: Call) -> tuple[int, int, int, int]:
    return (call.depth, call.run_stage.branch, call.dialogue_id, call.sample)


def _problem(call: Call, subject: Subject) -> tuple[str, str]:
    """(outcome, detail) of an unusable reply, read today."""
    try:
        reading.made_of(call, subject)
    except ParseError as error:
        return error.outcome, error.detail
    except Exception:  # as at the first reading: one reply that breaks the parser must not stop the others
        log.exception("The reply of call %s could not be read", call.pk)
        return call.outcome, call.error
    return Outcome.OK, ""


def _mend_unusable(run: Run, keys: Sequence[int]) -> list[Change]:
    """Read again what is usable now, in place of the failures there; other failures get their new outcome."""
    with transaction.atomic():
        lifecycle.lock([run.pk])
        locked = Call.objects.select_for_update(of=("self",), no_key=True)
        calls = _loaded(locked.filter(pk__in=_unusable(run).filter(pk__in=keys)), run, keys)
        changes = _places_today(calls)
        rows = {call.pk: call for call, _ in calls}
        chosen = [change.call for change in changes if change.after == Outcome.OK]
        for call in map(rows.__getitem__, chosen):
            others = run.calls.failed().filter(stage=call.stage, run_stage__branch=call.run_stage.branch)
            others.filter(dialogue=call.dialogue_id, sample=call.sample).exclude(pk=call.pk).update(replaced=True)
        Call.objects.filter(pk__in=chosen).update(state=Call.State.DONE, outcome="", replaced=False)
        for change in changes:
            if change.after != Outcome.OK:
                Call.objects.filter(pk=change.call).update(outcome=change.after, error=change.detail)
    reading.read_replies(chosen)
    return changes


def _usable_changes(run: Run, keys: Sequence[int]) -> list[Change]:
    return _other_answers(_loaded(_usable_rows(run), run, keys))


def _other_answers(calls: Sequence[tuple[Call, Subject]]) -> list[Change]:
    stored = stored_by([call for call, _ in calls])
    today: Mapping[Call, tuple[str, str] | None] = {
        call: outcome_today(call, subject, stored[call.pk], call.run.keep_share) for call, subject in calls
    }
    other = [call for call, found in today.items() if found is not None]
    held = in_use(other, {call.pk: stored[call.pk] for call in other})
    return [
        Change(call.pk, Stage(call.stage), call.outcome, *found, held=call.pk in held)
        for call, found in today.items()
        if found is not None
    ]


def _mend_usable(run: Run, keys: Sequence[int]) -> list[Change]:
    """Replace what was made of these replies with what they hold today, unless something uses it."""
    with transaction.atomic():
        lifecycle.lock([run.pk])
        calls = _loaded(_usable_rows(run).select_for_update(of=("self",), no_key=True), run, keys)
        changes = _other_answers(calls)
        before = stored_by([call for call, _ in calls])
        Call.objects.filter(pk__in=[change.call for change in changes if change.held]).update(note=HELD)
        mended = [change for change in changes if not change.held]
        for change in mended:
            before[change.call].delete(change.call)
            Call.objects.filter(pk=change.call).update(**_made_way(change))
    reading.read_replies([change.call for change in mended if change.after == Outcome.OK])
    for call in Call.objects.filter(pk__in=[change.call for change in mended]).only("note"):
        call.note = f"{before[call.pk].words} {call.note}".strip()
        call.save(update_fields=["note"])
    return mended


def _made_way(change: Change) -> dict[str, str]:
    """The fields of a call whose result was removed: to be read again, or failed. No new call is made for it."""
    if change.after == Outcome.OK:
        return {"outcome": ""}
    return {"state": Call.State.FAILED, "outcome": change.after, "error": change.detail, "note": ""}
