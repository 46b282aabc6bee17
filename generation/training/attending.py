"""Looking after a trainer on this machine: start it, store what it reports, and stop it kindly."""

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings
from django.db import transaction

from core.commands import ExitCode
from generation.models import TrainingRun
from generation.training.events import read_events
from generation.training.reporting import record

EVENTS = "events.jsonl"
LOG = "trainer.log"
# So much of the end of a log holds its last sentence.
LOG_END = 4_000


class Trainer:
    """A trainer at work in a folder. Its events are read from the file in which it writes them."""

    def __init__(self, run: TrainingRun, command: Sequence[str], out: Path) -> None:
        self.run, self._events, self._log = run, out / EVENTS, out / LOG
        self._read = 0
        out.mkdir(parents=True, exist_ok=True)
        _attend(run, out)
        with self._log.open("ab") as log:
            # A session of its own: Ctrl-C reaches only this command, which then asks the trainer to stop.
            self._process = subprocess.Popen(  # noqa: S603 - the command is ours, and no shell reads it
                command, cwd=settings.BASE_DIR, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    @property
    def is_at_work(self) -> bool:
        return self._process.poll() is None

    def wait(self, seconds: float) -> None:
        """Until it ends, but no longer than that."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return

    def stop(self) -> None:
        """Ask it to write a checkpoint and end."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def store_news(self) -> None:
        """Store what it has reported since the last time; raises EventError."""
        if not self._events.exists():
            return
        with self._events.open("rb") as file:
            file.seek(self._read)
            news = file.read()
        whole = news[: news.rfind(b"\n") + 1]
        self._read += len(whole)
        record(self.run, read_events(iter(whole.decode("utf-8", "replace").splitlines(keepends=True))))

    def is_asked_to_stop(self) -> bool:
        return TrainingRun.objects.filter(pk=self.run.pk, stop_asked_at__isnull=False).exists()

    def end(self) -> None:
        """Nobody looks after it any more. A run that its trainer left open has failed, for the reason in its log."""
        with transaction.atomic():
            run = TrainingRun.objects.select_for_update().get(pk=self.run.pk)
            run.is_attended, run.stop_asked_at = False, None
            if run.is_open:
                run.state, run.problem = TrainingRun.State.FAILED, self.last_words()
            run.save(update_fields=["is_attended", "stop_asked_at", "state", "problem"])
        self.run = run

    @property
    def has_failed(self) -> bool:
        """Whether it ended otherwise than by finishing or being stopped."""
        return self._process.returncode not in (ExitCode.DONE, ExitCode.STOPPED)

    @property
    def was_stopped(self) -> bool:
        return self._process.returncode == ExitCode.STOPPED

    def last_words(self) -> str:
        """The last line of its log, which says why it ended."""
        with self._log.open("rb") as file:
            file.seek(max(0, self._log.stat().st_size - LOG_END))
            lines = file.read().decode("utf-8", "replace").replace("\0", "").strip().splitlines()
        last = lines[-1].strip() if lines else ""
        return last or f"The trainer ended with code {self._process.returncode} and said nothing. See {self._log}."

    def _signal(self, sent: signal.Signals) -> None:
        if self.is_at_work:
            # With what it started, such as one process a card.
            os.killpg(self._process.pid, sent)


def _attend(run: TrainingRun, out: Path) -> None:
    run.is_attended, run.stop_asked_at, run.out = True, None, str(out)
    run.save(update_fields=["is_attended", "stop_asked_at", "out"])
