"""Greedy replies to prompts, many at a time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import GenerationConfig

from generation.training.finetune.data import Message
from generation.training.finetune.measures import Reply

AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Writer:
    """How a model is asked: by this template, until a stop token or `most_tokens`."""

    tokenizer: Any
    template: str
    stop_ids: Sequence[int]
    most_tokens: int
    is_stopping: Callable[[], bool]

    def replies(self, model: Any, prompts: Sequence[Sequence[Message]]) -> list[Reply]:
        """In the prompts' order; fewer than prompts where the training is being stopped."""
        was_training = model.training
        model.eval()
        found: list[Reply] = []
        for start in range(0, len(prompts), AT_ONCE):
            if self.is_stopping():
                break
            found += self._some(model, prompts[start : start + AT_ONCE])
        model.train(was_training)
        return found

    def _some(self, model: Any, prompts: Sequence[Sequence[Message]]) -> list[Reply]:
        asked = [
            self.tokenizer.apply_chat_template(
                list(prompt), tokenize=True, return_dict=True, add_generation_prompt=True, chat_template=self.template
            )["input_ids"]
            for prompt in prompts
        ]
        width = max(map(len, asked))
        # Filled up on the left, so that every prompt ends where its reply begins.
        ids = torch.tensor([[self._pad] * (width - len(one)) + one for one in asked], device=model.device)
        mask = torch.tensor([[0] * (width - len(one)) + [1] * len(one) for one in asked], device=model.device)
        how = GenerationConfig(
            do_sample=False,
            max_new_tokens=self.most_tokens,
            eos_token_id=list(self.stop_ids),
            pad_token_id=self._pad,
        )
        with torch.no_grad():
            written = model.generate(input_ids=ids, attention_mask=mask, generation_config=how)
        return [self._reply(row) for row in written[:, width:].tolist()]

    def _reply(self, ids: list[int]) -> Reply:
        end = next((place for place, token in enumerate(ids) if token in self.stop_ids), None)
        text = self.tokenizer.decode(ids[:end], skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return Reply(text.strip(), end is not None)

    @property
    def _pad(self) -> int:
        return int(self.tokenizer.pad_token_id)
