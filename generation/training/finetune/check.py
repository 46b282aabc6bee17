"""The check after training: the tuned model, its base and the data's own replies on backgrounds that were held out."""

import random
from collections.abc import Sequence
from typing import Any

from generation.training.finetune.data import Asked, ExportedSet, Message, asked
from generation.training.finetune.generating import Writer
from generation.training.finetune.measures import Reply, TrainedOn, figures

SAMPLES = 3


def sample_prompts(data: ExportedSet, seed: int) -> list[list[Message]]:
    """Prompts whose replies are shown while the training goes: held-out ones, or trained ones where there are none."""
    split = "validation" if data.rows["validation"] else data.held_out or "train"
    return [one.prompt for one in chosen(data, split, SAMPLES, seed)]


def chosen(data: ExportedSet, split: str, most: int, seed: int) -> list[Asked]:
    """A seeded choice of the split's prompts, in the order of the data."""
    every = list(asked(data.rows[split]))
    if len(every) <= most:
        return every
    places = random.Random(seed).sample(range(len(every)), most)  # noqa: S311 - a choice that can be repeated
    return [every[place] for place in sorted(places)]


class Check:
    """Collects a row for each who answers; a row that was stopped half-way is left out."""

    def __init__(self, data: ExportedSet, prompts: Sequence[Asked]) -> None:
        self._delimiter = data.delimiter
        self._prompts = prompts
        self._trained_on = TrainedOn((one.reply for one in asked(data.rows["train"])), data.delimiter)
        self._rows: dict[str, dict[str, Any]] = {}
        self._add("data", [Reply(one.reply, stopped=True) for one in prompts])

    def ask(self, who: str, model: Any, writer: Writer) -> None:
        self._add(who, writer.replies(model, [one.prompt for one in self._prompts]))

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [self._rows[who] for who in ("tuned", "base", "data") if who in self._rows]

    def _add(self, who: str, replies: Sequence[Reply]) -> None:
        if len(replies) == len(self._prompts):
            self._rows[who] = figures(who, replies, self._delimiter, self._trained_on)
