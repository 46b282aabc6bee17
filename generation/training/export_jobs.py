"""ZIP files of training sets: a small one is written while its person waits, a large one by a worker.

A large one tells how far it is and can be stopped. A set never changes, so a file that is there serves everybody who
asks for it, for a day. A job whose worker died is begun anew by the next sweep.
"""

import shutil
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.text import slugify

from dialogues.import_jobs import SILENT_AFTER, TOLD_EVERY
from generation.models import TrainingExport, TrainingSet
from generation.training import directory
from generation.training.directory import DirectoryError
from generation.training.recipe import Recipe
from generation.training.targets.registry import chosen
from generation.training.zipped import zip_folder

# A request writes sets of up to so many dialogues itself: a few seconds at most.
SMALL = 1000
KEPT = timedelta(days=1)
State = TrainingExport.State
_FAILED = "The program failed at this file. Tell whoever runs this site; its log says more."


class ExportStoppedError(Exception):
    """Somebody stopped the export."""


def folder() -> Path:
    path: Path = settings.DATA_DIR / "training-exports"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def path_of(job: TrainingExport) -> Path:
    """Where its file is, or will be."""
    return folder() / f"{job.pk}.zip"


def stem_of(training_set: TrainingSet, target: str = "") -> str:
    """The name of a set's folder and file, in ASCII."""
    name = slugify(training_set.name) or f"training-set-{training_set.pk}"
    return f"{name}-v{training_set.version}{f'-{target}' if target else ''}"


def ordered(training_set: TrainingSet, target: str, *, by: Any, wake: Callable[[int], object]) -> TrainingExport:
    """The export of a set in one target, or all for "": the one that is there or under way, else a new one.

    A small one is done on return; `wake` tells a worker the key of a large one. Raises UnknownTargetError.
    """
    chosen(Recipe.of(training_set.recipe).kind, [target] if target else [])
    current = TrainingExport.objects.current().filter(training_set=training_set, target=target)
    job = current.first()
    if job and job.state == State.DONE and not path_of(job).exists():
        job.delete()
        job = None
    if job is None:
        job = _begun(training_set, target, by)
        if job.total > SMALL:
            transaction.on_commit(lambda: wake(job.pk))
        else:
            work(job.pk)
            job.refresh_from_db()
    return job


def _begun(training_set: TrainingSet, target: str, by: Any) -> TrainingExport:
    total = training_set.items.count()
    try:
        with transaction.atomic():
            return TrainingExport.objects.create(training_set=training_set, target=target, total=total, created_by=by)
    except IntegrityError:
        # A second click at the same moment.
        return TrainingExport.objects.current().get(training_set=training_set, target=target)


def stop(job: TrainingExport) -> bool:
    """Stop it if it is still open; the worker notices within a second or so."""
    return bool(TrainingExport.objects.open().filter(pk=job.pk).update(state=State.STOPPED, told_at=timezone.now()))


def work(pk: int) -> None:
    """Do a job that waits, or that its worker has left; do nothing about any other."""
    job = _claimed(pk)
    if not job:
        return
    try:
        _write(job)
    except ExportStoppedError:
        pass
    except DirectoryError as refused:
        _end(job, State.REFUSED, problem=str(refused))
    except (OperationalError, InterfaceError):
        # The database went away: the next sweep begins the job anew.
        raise
    except Exception:
        # Whatever it is, it would happen again with every sweep.
        _end(job, State.REFUSED, problem=_FAILED)
        raise
    else:
        if not _end(job, State.DONE, done=job.total, size=path_of(job).stat().st_size):
            path_of(job).unlink(missing_ok=True)


def silent_jobs() -> list[int]:
    """Open jobs that no worker has: their message was lost, or their worker died."""
    before = timezone.now() - SILENT_AFTER
    waiting = Q(state=State.WAITING, created_at__lt=before) | Q(state=State.RUNNING, told_at__lt=before)
    return list(TrainingExport.objects.filter(waiting).values_list("pk", flat=True))


def remove_old(now: datetime) -> None:
    """Remove ended exports after a day, and what is in the folder and belongs to none."""
    ended = TrainingExport.objects.exclude(pk__in=TrainingExport.objects.open().values("pk"))
    ended.filter(told_at__lt=now - KEPT).delete()
    names = {str(pk) for pk in TrainingExport.objects.values_list("pk", flat=True)}
    for path in folder().iterdir():
        if path.name.partition(".")[0] not in names and _is_old(path, now):
            _remove(path)


def _claimed(pk: int) -> TrainingExport | None:
    """The job, which nobody else does now; None if it is not free."""
    now = timezone.now()
    free = Q(state=State.WAITING) | Q(state=State.RUNNING, told_at__lt=now - SILENT_AFTER)
    if not TrainingExport.objects.filter(free, pk=pk).update(state=State.RUNNING, started_at=now, told_at=now, done=0):
        return None
    return TrainingExport.objects.select_related("training_set__corpus").get(pk=pk)


def _write(job: TrainingExport) -> None:
    targets = [job.target] if job.target else []
    whole = folder() / f"{job.pk}.files"
    _remove(whole)
    try:
        directory.write(job.training_set, whole, targets=targets, tell=_teller(job))
        zip_folder(whole, path_of(job), name=stem_of(job.training_set, job.target))
    finally:
        _remove(whole)


def _teller(job: TrainingExport) -> Callable[[int], None]:
    """Write down how far it is, at most once a second; raises ExportStoppedError once it was stopped."""
    told = timezone.now()

    def tell(done: int) -> None:
        nonlocal told
        now = timezone.now()
        if now - told < TOLD_EVERY:
            return
        told = now
        if not TrainingExport.objects.filter(pk=job.pk, state=State.RUNNING).update(done=done, told_at=now):
            raise ExportStoppedError

    return tell


def _end(job: TrainingExport, state: State, **fields: Any) -> bool:
    running = TrainingExport.objects.filter(pk=job.pk, state=State.RUNNING)
    return bool(running.update(state=state, told_at=timezone.now(), **fields))


def _is_old(path: Path, now: datetime) -> bool:
    """What is being written has a name that belongs to no export, but is young."""
    with suppress(FileNotFoundError):
        return path.stat().st_mtime < (now - KEPT).timestamp()
    return False


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
