"""A set's balance, and what it takes of a model's context window with the newest wording of its stage."""

from dataclasses import dataclass
from typing import cast

from generation import example_sets
from generation.curation.balance import Balance, balance_of
from generation.curation.provenance import content_of, with_provenance
from generation.engine.requests import shown
from generation.models import Example, ExampleKind, ExampleSet, Prompt, Stage
from generation.prompts import TOKENS_PER_MESSAGE, ChatMessage, estimate_tokens, example_text

USUAL_WINDOW = 8_192
SHOWN_IN = {
    ExampleKind.SINGLE_STEP: Stage.PAIR,
    ExampleKind.STEP_BY_STEP: Stage.PAIR,
    ExampleKind.FURTHER_SPLIT: Stage.FURTHER_SPLIT,
}
BESIDE = {
    ExampleKind.SINGLE_STEP: ExampleKind.STEP_BY_STEP,
    ExampleKind.STEP_BY_STEP: ExampleKind.SINGLE_STEP,
}


@dataclass(frozen=True, slots=True)
class Weight:
    """Estimated tokens; `beside` is the set of the other kind that the same prompt shows, if any."""

    window: int
    examples: int
    wording: int
    prompt: Prompt | None
    beside: ExampleSet | None
    beside_tokens: int

    @property
    def taken(self) -> int:
        return self.examples + self.wording + self.beside_tokens

    @property
    def left(self) -> int:
        """Tokens left for the dialogue and the reply; negative if the prompt alone is too long."""
        return self.window - self.taken

    @property
    def percent(self) -> int:
        return round(100 * self.taken / self.window)


def weigh(example_set: ExampleSet, window: int = USUAL_WINDOW) -> tuple[Balance | None, Weight]:
    """The set's balance, and what is left of a context window of that many tokens."""
    kind = ExampleKind(example_set.kind)
    rows = with_provenance(example_set)
    tokens = [_tokens(row, kind) for row in rows]
    newest = example_sets.newest_prompts([SHOWN_IN[kind]])
    other = example_sets.newest_sets().get(BESIDE[kind]) if kind in BESIDE else None
    beside = sum(_tokens(row, ExampleKind(other.kind)) for row in other.examples.all()) if other else 0
    weight = Weight(window, sum(tokens), _wording(newest), newest[0] if newest else None, other, beside)
    return balance_of([content_of(row) for row in rows], tokens), weight


def _tokens(example: Example, kind: ExampleKind) -> int:
    text = example_text(shown(example), kind.value)
    return estimate_tokens([cast(ChatMessage, {"role": "user", "content": text})]) - TOKENS_PER_MESSAGE


def _wording(prompts: list[Prompt]) -> int:
    texts = [text for prompt in prompts for text in (prompt.system, prompt.user) if text.strip()]
    return estimate_tokens([{"role": "user", "content": text} for text in texts])
