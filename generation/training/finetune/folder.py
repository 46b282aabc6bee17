"""The folder of one training: who works in it, what was chosen, and its checkpoints."""

import fcntl
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from generation.training.events import EventKind, read_events
from generation.training.finetune.options import Options
from generation.training.finetune.refusals import RefusedError


@dataclass(frozen=True, slots=True)
class Folder:
    path: Path

    @property
    def events(self) -> Path:
        return self.path / "events.jsonl"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def model(self) -> Path:
        return self.path / "model"

    @property
    def merged(self) -> Path:
        return self.path / "merged"

    @property
    def base(self) -> Path:
        """The model made from configuration."""
        return self.path / "base"

    @property
    def _choices(self) -> Path:
        return self.path / "choices.json"

    def stored(self) -> dict[str, Any]:
        """The choices, and `data_sha256`; raises RefusedError where no training was begun."""
        try:
            return dict(json.loads(self._choices.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            raise RefusedError(
                f"{self.path} holds no training. Leave out --resume or --check-only to start one."
            ) from None

    def require_unused(self) -> None:
        """Raises RefusedError where another training left something."""
        if self._choices.exists() or self.model.exists() or self.checkpoints.exists():
            raise RefusedError(f"{self.path} holds a training. Go on with --resume, or name another --out.")

    def require_unfinished(self) -> None:
        if self.is_finished:
            raise RefusedError(f"The training in {self.path} is finished. Check it again with --check-only.")

    def require_model(self) -> None:
        if not self.model.exists():
            raise RefusedError(f"The training in {self.path} is not finished. Go on with --resume.")

    def begin(self, options: Options, data_sha256: str) -> None:
        text = json.dumps({**options.choices(), "data_sha256": data_sha256}, indent=2)
        self._choices.write_text(text, encoding="utf-8")

    def lock(self) -> TextIO:
        """Keep others out while the file that it returns is open; raises RefusedError."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            file = (self.path / "trainer.lock").open("w")
        except OSError as error:
            raise RefusedError(f"{self.path} cannot be written: {error.strerror}. Name another --out.") from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            raise RefusedError(
                f"Another trainer is at work in {self.path}. Wait for it, or name another --out."
            ) from None
        return file

    @property
    def is_finished(self) -> bool:
        """Whether its events say so; a trainer that was killed during its last check has a model, but is not."""
        if not self.events.exists():
            return False
        with self.events.open(encoding="utf-8") as file:
            return any(event.kind == EventKind.FINISHED for event in read_events(iter(file)))

    def last_checkpoint(self) -> Path | None:
        """The newest whole one: transformers writes `trainer_state.json` last."""
        whole = [path.parent for path in self.checkpoints.glob("checkpoint-*/trainer_state.json") if _is_json(path)]
        return max(whole, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return True
