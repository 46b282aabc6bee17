"""Imports of large files by a worker, which tells how far it is and can be stopped.

A job whose worker died is begun anew by the next sweep: what the dead one stored was never shown, and is removed.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Q
from django.utils import timezone

from dialogues import importing, uploads
from dialogues.formats.records import Choices
from dialogues.importing import ImportRefusedError, Options, Source
from dialogues.models import Corpus, ImportJob

# A request imports files up to this size itself: a few seconds at most.
LARGE = 8 * 2**20
SILENT_AFTER = timedelta(minutes=2)
TOLD_EVERY = timedelta(seconds=1)
State = ImportJob.State
_FAILED = "The program failed at this file, and nothing of it was kept. Tell whoever runs this site; its log says more."


class ImportStoppedError(Exception):
    """Somebody stopped the import."""


def ordered(
    source: Source, token: str, *, name: str, options: Options, by: Any, wake: Callable[[int], object]
) -> ImportJob:
    """The job for this upload: a second click finds the first one's, and one that ended without a corpus begins anew.

    `wake` tells a worker the job's key.
    """
    plan = {
        "name": name,
        "file_name": source.file_name,
        "file_format": source.file_format,
        "choices": _as_json(source.choices),
        "sha256": source.sha256,
        "options": _as_json(options),
    }
    size = source.path.stat().st_size
    with transaction.atomic():
        job, is_new = ImportJob.objects.get_or_create(
            token=token, defaults={"plan": plan, "total_bytes": size, "created_by": by}
        )
        ended = Q(state__in=(State.REFUSED, State.STOPPED))
        anew = {"plan": plan, "problem": "", "read_bytes": 0, "corpus": None, "started_at": None}
        if is_new or _change(job, State.WAITING, where=ended, **anew):
            transaction.on_commit(lambda: wake(job.pk))
    return job


def stop(job: ImportJob) -> bool:
    """Stop it if it is still open; the worker notices at its next batch."""
    return bool(ImportJob.objects.open().filter(pk=job.pk).update(state=State.STOPPED, told_at=timezone.now()))


def work(pk: int) -> None:
    """Do a job that waits, or that its worker has left; do nothing about any other."""
    job = _claimed(pk)
    if not job:
        return
    running = Q(state=State.RUNNING)
    try:
        imported = _imported(job)
    except ImportStoppedError:
        pass
    except ImportRefusedError as refused:
        _change(job, State.REFUSED, where=running, problem=str(refused), corpus=_shown(refused.corpus))
    except FileNotFoundError:
        _change(job, State.REFUSED, where=running, problem="The upload was removed. Choose the file again.")
    except (OperationalError, InterfaceError):
        # The database went away: the next sweep begins the job anew.
        raise
    except Exception:
        # Whatever it is, it would happen again with every sweep.
        _change(job, State.REFUSED, where=running, problem=_FAILED)
        raise
    else:
        # Whoever stopped it now came too late: the corpus is there.
        _change(job, State.DONE, where=Q(), corpus=imported, read_bytes=job.total_bytes)
        uploads.forget(job.token)


def _claimed(pk: int) -> ImportJob | None:
    """The job, which nobody else does now, without what a worker that died stored for it; None if it is not free."""
    now = timezone.now()
    free = Q(state=State.WAITING) | Q(state=State.RUNNING, told_at__lt=now - SILENT_AFTER)
    begun_before = ImportJob.objects.filter(pk=pk).values_list("started_at", flat=True).first()
    if not ImportJob.objects.filter(free, pk=pk).update(state=State.RUNNING, started_at=now, told_at=now, read_bytes=0):
        return None
    job = ImportJob.objects.select_related("created_by").get(pk=pk)
    if begun_before:
        _remove_left(job, begun_before)
    return job


def silent_jobs() -> list[int]:
    """Open jobs that no worker has: their message was lost, or their worker died."""
    before = timezone.now() - SILENT_AFTER
    waiting = Q(state=State.WAITING, created_at__lt=before) | Q(state=State.RUNNING, told_at__lt=before)
    return list(ImportJob.objects.filter(waiting).values_list("pk", flat=True))


def _imported(job: ImportJob) -> Corpus:
    plan = job.plan
    source = Source(
        uploads.path_of(job.token),
        plan["file_name"],
        plan["file_format"],
        Choices(**_with_tuples(plan["choices"])),
        plan["sha256"],
    )
    options = Options(**_with_tuples(plan["options"]))
    tell = _teller(job)
    return importing.import_file(source, name=plan["name"], by=job.created_by, options=options, progress=tell).corpus


def _teller(job: ImportJob) -> Callable[[int], None]:
    """Write down how far the import is, at most once a second; raises ImportStoppedError once it was stopped."""
    told = timezone.now()

    def tell(read_bytes: int) -> None:
        nonlocal told
        now = timezone.now()
        if now - told < TOLD_EVERY:
            return
        told = now
        rows = ImportJob.objects.filter(pk=job.pk, state=State.RUNNING)
        if not rows.update(read_bytes=read_bytes, told_at=now):
            raise ImportStoppedError

    return tell


def _remove_left(job: ImportJob, since: datetime) -> None:
    """Remove what a worker stored for this job before it died; another import may fill a corpus of the same name."""
    left = Corpus.objects.filter(name=job.plan["name"].strip(), filled_at__isnull=False, created_by=job.created_by)
    for corpus in left.filter(created_at__gte=since):
        importing.remove(corpus)


def _shown(corpus: Corpus | None) -> Corpus | None:
    return corpus if corpus is not None and not corpus.filled_at else None


def _change(job: ImportJob, state: State, *, where: Q, **fields: Any) -> bool:
    return bool(ImportJob.objects.filter(where, pk=job.pk).update(state=state, told_at=timezone.now(), **fields))


def _as_json(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__dataclass_fields__}


def _with_tuples(fields: dict[str, Any]) -> dict[str, Any]:
    """JSON knows lists only."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
