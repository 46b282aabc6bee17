"""What the trainer of transformers tells while it works, as events."""

import resource
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from transformers import TrainerCallback

from generation.training.events import EventKind
from generation.training.finetune.data import Message
from generation.training.finetune.generating import Writer
from generation.training.finetune.journal import Journal


class Reporter(TrainerCallback):
    """Reports steps, evaluations and samples; asks for a checkpoint and an end where the training is to stop.

    Speed counts the time of training steps alone, without evaluation and saving.
    """

    def __init__(
        self, journal: Journal, writer: Writer, prompts: Sequence[list[Message]], started: Callable[[int], None]
    ) -> None:
        self._journal, self._writer, self._prompts, self._started = journal, writer, prompts, started
        self.is_stopped = False
        self._active = self._begun_at = 0.0
        self._steps = 0
        self._tokens_before = 0.0
        self._active_before = 0.0
        self._opened_at = time.monotonic()

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._opened_at = time.monotonic()
        self._started(state.max_steps)

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._begun_at = time.monotonic()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._active += time.monotonic() - self._begun_at
        self._steps += 1
        if _in_any_process(self._writer.is_stopping()):
            self.is_stopped = True
            control.should_save = control.should_training_stop = True
            control.should_evaluate = False

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any], **_: Any) -> None:
        if "loss" not in logs:
            return
        tokens, active = float(logs.get("num_tokens", 0.0)), self._active - self._active_before
        a_step = (time.monotonic() - self._opened_at) / max(1, self._steps)
        self._journal.tell(
            EventKind.STEP,
            {
                "step": state.global_step,
                "epoch": round(float(state.epoch or 0), 4),
                "loss": float(logs["loss"]),
                "learning_rate": float(logs["learning_rate"]),
                "tokens_per_second": round((tokens - self._tokens_before) / active, 1) if active else 0.0,
                "seconds_left": round(a_step * (state.max_steps - state.global_step)),
                "memory_bytes": memory_bytes(),
            },
        )
        self._tokens_before, self._active_before = tokens, self._active

    def on_evaluate(self, args: Any, state: Any, control: Any, metrics: dict[str, Any], **_: Any) -> None:
        self._journal.tell(EventKind.EVALUATED, {"step": state.global_step, "loss": float(metrics["eval_loss"])})

    def on_save(self, args: Any, state: Any, control: Any, model: Any, **_: Any) -> None:
        """Samples come with each checkpoint, as there may be no evaluation."""
        if not state.is_world_process_zero:
            return
        replies = self._writer.replies(model, self._prompts)
        for prompt, reply in zip(self._prompts, replies, strict=False):
            turns = [[message["role"], message["content"]] for message in prompt]
            self._journal.tell(
                EventKind.SAMPLE,
                {"step": state.global_step, "prompt": turns, "reply": reply.text, "stopped": reply.stopped},
            )


def _in_any_process(is_so: bool) -> bool:
    """Asked by all at the same step: one that stopped alone would leave the others waiting for it."""
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return is_so
    found = torch.tensor(int(is_so), device="cuda" if torch.cuda.is_available() else "cpu")
    torch.distributed.all_reduce(found, torch.distributed.ReduceOp.MAX)
    return bool(found)


def memory_bytes() -> int:
    """The most memory used so far: of the card where there is one, else of this process."""
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_reserved())
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
