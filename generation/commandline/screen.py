"""A running run in a terminal: a few lines, redrawn every second."""

from decimal import Decimal
from shutil import get_terminal_size
from typing import TextIO

from core.durations import duration
from generation.commandline.common import harmless
from generation.models import Run
from generation.watching.progress import Progress, money

BAR = 30  # characters
UP_AND_CLEAR = "\x1b[1A\x1b[2K"


class Screen:
    """Redraws its lines in a terminal; in a file or pipe prints the sentence when it changes."""

    def __init__(self, stream: TextIO, *, hidden: bool = False) -> None:
        self._stream, self._hidden = stream, hidden
        self._redraws = stream.isatty()
        self._drawn: list[str] = []

    def show(self, progress: Progress) -> None:
        if self._hidden:
            return
        width = get_terminal_size().columns - 1
        lines = [harmless(line)[:width] for line in lines_of(progress)] if self._redraws else [progress.sentence]
        if lines == self._drawn:
            return
        clear = UP_AND_CLEAR * len(self._drawn) if self._redraws else ""
        self._stream.write(clear + "".join(f"{line}\n" for line in lines))
        self._stream.flush()
        self._drawn = lines

    def say(self, words: str) -> None:
        """A line that stays."""
        self._stream.write(f"{words}\n")
        self._stream.flush()
        self._drawn = []


def lines_of(progress: Progress) -> list[str]:
    """The run's state in lines; empty lines are left out."""
    run = progress.run
    head = f"Run {run.pk}, {run}: {run.get_state_display().lower()}"
    lines = [head, f"{_bar(progress)} {progress.sentence}", *_stages(progress), _pace(progress), _account(progress)]
    lines += [f"{one.endpoint}: {one.words}" for one in progress.endpoints]
    lines.append(progress.batches.sentence)
    if progress.causes:
        failed = ", ".join(f"{count:,} × {label}" for _, label, count in progress.named_causes)
        lines.append(f"Failed: {failed}")
    return [line for line in (*lines, progress.advice) if line]


def _bar(progress: Progress) -> str:
    full = round(BAR * progress.done / max(1, progress.journeys))
    return f"[{'#' * full}{'.' * (BAR - full)}]"


def _stages(progress: Progress) -> list[str]:
    width = max((len(stage.label) for stage in progress.stages), default=0)
    return [
        f"  {stage.label:<{width}}  {stage.ok:>7,} done {stage.in_flight:>6,} in flight {stage.waiting:>7,} waiting "
        f"{stage.failed:>6,} failed"
        for stage in progress.stages
    ]


def _pace(progress: Progress) -> str:
    parts = [f"{progress.calls_a_second:.1f} calls/s"]
    if progress.run.state == Run.State.RUNNING and progress.seconds_left is not None:
        parts.append(f"about {duration(progress.seconds_left)} left")
    if progress.refusals:
        times = "once" if progress.refusals == 1 else f"{progress.refusals:,} times"
        parts.append(f"rate limit reached {times}")
    return ", ".join(parts)


def _account(progress: Progress) -> str:
    run = progress.run
    limit = "" if run.token_budget is None else f" of {run.token_budget:,}"
    parts = [f"{progress.tokens:,}{limit} tokens"]
    if not run.is_free or run.spent:
        cap = "" if run.budget is None else f" of {money(Decimal(run.budget))}"
        parts.append(f"{money(run.spent)}{cap} spent")
        if progress.forecast is not None:
            parts.append(f"about {progress.forecast_words} in the end")
    return ", ".join(parts)
