"""Pages answer at once: what takes longer than two seconds is computed by a worker, which tells how far it is.

Whoever asks for the same result finds the same computation. One that was stopped, failed, or whose worker died begins
anew when a person asks for it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic

from celery import current_app
from django.core.exceptions import ObjectDoesNotExist
from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from core import results
from core.fingerprint import fingerprint
from core.models import Computation
from core.results import Found, Result, Size
from core.steps import Steps, Tell

# What a person waits for without being told.
PAGE_SECONDS = 2.0
KEPT = timedelta(seconds=results.DAY)
# Until a computation whose message to the workers was lost is told of again.
FORGOTTEN_AFTER = timedelta(minutes=1)
# Of the same question, to look for one that is still kept.
MOST_EARLIER = 3
# An earlier result is shown for so long before the next is computed: a page that is open while its data change would
# otherwise keep a worker busy all the time.
YOUNG = timedelta(minutes=1)
State = Computation.State
_FAILED = "The program failed at this. Tell whoever runs this site; its log says more."
_GONE = "What was to be computed is not there any more."


class ComputationStoppedError(Exception):
    """Somebody stopped the computation."""


class NotComputedError(Exception):
    """There can be no result now; the text tells a person why, and what to do."""


@dataclass(frozen=True, slots=True)
class Answer(Generic[Found]):
    """What a page can show at once.

    `found` is None while there is nothing to show, and `computation` is making it. With `as_of`, `found` is an earlier
    result, of that time: what it was computed from has changed since. The current one is being computed unless the
    earlier one is young.
    """

    found: Found | None
    computation: Computation | None = None
    as_of: datetime | None = None


def answer(result: Result[Found], *, is_current: bool = False) -> Answer[Found]:
    """The result if it is kept or takes no longer than a page may; else a computation, with an earlier result.

    With `is_current` never an earlier one.
    """
    key = result.key()
    found: Found | None = results.kept(key)
    if found is not None:
        return Answer(found)
    size = result.size()
    if size.seconds <= PAGE_SECONDS:
        return Answer(results.fresh(result.key, key, lambda: result.compute(Steps())))
    # Another form of result, as the key's beginning says, is another question.
    form = key.rpartition(":")[0]
    asked = fingerprint({"form": form, "task": result.task, "arguments": result.arguments})
    earlier, found = (None, None) if is_current else _earlier(asked)
    if earlier and earlier.told_at and earlier.told_at > timezone.now() - YOUNG:
        return Answer(found, None, earlier.started_at)
    return Answer(found, _ordered(result, key, asked, size), earlier.started_at if earlier else None)


def _earlier(asked: str) -> tuple[Computation | None, Any]:
    """The newest computation of the same question whose result is still kept, and the result."""
    for earlier in Computation.objects.done().filter(asked=asked).order_by("-started_at")[:MOST_EARLIER]:
        found = results.kept(earlier.kept_as)
        if found is not None:
            return earlier, found
    return None, None


def _ordered(result: Result[Any], key: str, asked: str, size: Size) -> Computation:
    """The computation under this key; it begins, unless it is open or ended without a result."""
    new = {
        "task": result.task, "arguments": result.arguments, "asked": asked,
        "seconds": size.seconds, "total": size.steps, "asked_at": timezone.now(),
    }  # fmt: skip
    with transaction.atomic():
        computation, is_new = Computation.objects.get_or_create(key=key, defaults=new)
        if is_new:
            _wake(computation)
    # Its result was removed, or is of what has changed while it was computed, and changed back since.
    if computation.state == State.DONE:
        again(computation)
        computation.refresh_from_db()
    return computation


def again(computation: Computation) -> bool:
    """Begin one that has ended, or whose worker died, anew; false where it is open."""
    with transaction.atomic():
        anew = {"state": State.WAITING, "done": 0, "doing": "", "problem": "", "asked_at": timezone.now()}
        begins = bool(Computation.objects.ended().filter(pk=computation.pk).update(**anew))
        if begins:
            _wake(computation)
    return begins


def stop(computation: Computation) -> bool:
    """Stop it if it is open; its worker notices at the next step."""
    return bool(Computation.objects.open().filter(pk=computation.pk).update(state=State.STOPPED))


def _wake(computation: Computation) -> None:
    """Tell a worker once the row is there; a sweep does again if the message is lost."""
    task, pk = computation.task, computation.pk
    transaction.on_commit(lambda: current_app.send_task(task, [pk]))


def compute(pk: int, result_of: Callable[..., Result[Any]]) -> None:
    """In a worker: compute one that waits, and do nothing about any other. `result_of` takes its arguments."""
    computation = _claimed(pk)
    if computation is None:
        return
    try:
        result = result_of(**computation.arguments)
        kept_as = _computed(result, computation)
    except ComputationStoppedError:
        pass
    except NotComputedError as refusal:
        computation.told(State.FAILED, problem=str(refusal))
    except ObjectDoesNotExist:
        computation.told(State.FAILED, problem=_GONE)
    except (OperationalError, InterfaceError):
        # The database is away, and cannot be told so; the page says that the worker is silent.
        raise
    except Exception:
        computation.told(State.FAILED, problem=_FAILED)
        raise
    else:
        computation.told(State.DONE, kept_as=kept_as)


def _claimed(pk: int) -> Computation | None:
    now = timezone.now()
    claim = {"state": State.RUNNING, "started_at": now, "told_at": now, "done": 0}
    if not Computation.objects.waiting().filter(pk=pk).update(**claim):
        return None
    return Computation.objects.get(pk=pk)


def _computed(result: Result[Any], computation: Computation) -> str:
    """The key under which the result is kept: not that of current results if something changed meanwhile."""
    before = result.key()
    if results.kept(before) is not None:
        return before
    found = result.compute(Steps(result.size().steps, _teller(computation)))
    key = before if result.key() == before else f"{before}:{computation.pk}"
    results.keep(key, found)
    return key


def _teller(computation: Computation) -> Tell:
    """Write down each step; raises ComputationStoppedError once it was stopped."""

    def tell(done: int, total: int, doing: str) -> None:
        if not computation.told(State.RUNNING, done=done, total=total, doing=doing[:200]):
            raise ComputationStoppedError

    return tell


def sweep(now: datetime) -> None:
    """Tell workers again of what they were not told of, and remove what is older than a day."""
    for computation in Computation.objects.waiting().filter(asked_at__lt=now - FORGOTTEN_AFTER):
        _wake(computation)
    Computation.objects.ended().filter(asked_at__lt=now - KEPT).delete()
    results.remove_old(now)
