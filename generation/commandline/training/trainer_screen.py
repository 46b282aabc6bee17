"""A trainer at work in a terminal: one line with a bar, redrawn."""

from shutil import get_terminal_size
from typing import TextIO

from generation.commandline.common import harmless
from generation.commandline.screen import BAR
from generation.training.run_progress import TrainingProgress

BACK_AND_CLEAR = "\r\x1b[2K"


class TrainerScreen:
    """Redraws its line in a terminal; in a file or pipe prints the sentence when it changes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._redraws = stream, stream.isatty()
        self._drawn = ""

    def show(self, progress: TrainingProgress) -> None:
        line = harmless(f"{bar(progress)} {progress.sentence}" if self._redraws else progress.sentence)
        if line == self._drawn:
            return
        if self._redraws:
            self._stream.write(f"{BACK_AND_CLEAR}{line[: get_terminal_size().columns - 1]}")
        else:
            self._stream.write(f"{line}\n")
        self._stream.flush()
        self._drawn = line

    def say(self, words: str) -> None:
        """A line that stays."""
        self._stream.write(f"{BACK_AND_CLEAR if self._redraws else ''}{words}\n")
        self._stream.flush()
        self._drawn = ""


def bar(progress: TrainingProgress) -> str:
    full = round(BAR * min(1, progress.run.step / max(1, progress.run.steps)))
    return f"[{'#' * full}{'.' * (BAR - full)}]"
