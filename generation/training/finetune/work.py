"""What one training is made of, and whether it is being stopped."""

import signal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from generation.training.finetune.data import ExportedSet
from generation.training.finetune.folder import Folder
from generation.training.finetune.journal import Journal
from generation.training.finetune.options import Options


class Stopping:
    """Whether SIGTERM or SIGINT came: training then ends at its next step."""

    def __init__(self) -> None:
        self.is_asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def __call__(self) -> bool:
        return self.is_asked

    def _ask(self, *_: object) -> None:
        self.is_asked = True


@dataclass(frozen=True, slots=True)
class Work:
    """What one training is made of."""

    options: Options
    folder: Folder
    data: ExportedSet
    config: Mapping[str, Any]
    journal: Journal
    is_stopping: Stopping
