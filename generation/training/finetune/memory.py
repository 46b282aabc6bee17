"""How much memory a training takes, by estimate from a model's configuration.

Bytes a weight: trained with AdamW 16 (float32 weight, gradient and two moments); frozen 2 in bfloat16, 4 in float32.
Activations with gradient checkpointing: the input of each layer, one layer in full, and the logits with their gradient
in float32; without it, every layer in full. A tenth is added for what frameworks keep.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

TRAINED = 16
# Values of the width of the model that one layer keeps for its gradient, the MLP's wider ones included.
_KEPT_A_LAYER = 34
_LOGITS = 10
_ROOM = 1.1


@dataclass(frozen=True, slots=True)
class Shape:
    """What the estimate needs of a Llama-like model; sizes in values, not bytes."""

    hidden: int
    layers: int
    heads: int
    key_value_heads: int
    intermediate: int
    vocabulary: int
    tied: bool
    positions: int

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Self | None:
        """From a config.json; None where it names its sizes otherwise."""
        config = config.get("text_config") or config
        try:
            return cls(
                int(config["hidden_size"]),
                int(config["num_hidden_layers"]),
                int(config["num_attention_heads"]),
                int(config.get("num_key_value_heads") or config["num_attention_heads"]),
                int(config["intermediate_size"]),
                int(config["vocab_size"]),
                bool(config.get("tie_word_embeddings", False)),
                int(config.get("max_position_embeddings") or 0),
            )
        except (KeyError, TypeError, ValueError):
            return None

    @property
    def linears(self) -> list[tuple[int, int]]:
        """Inputs and outputs of one layer's linear maps."""
        narrow = self.hidden * self.key_value_heads // self.heads
        wide = self.intermediate
        attention = [
            (self.hidden, self.hidden),
            (self.hidden, narrow),
            (self.hidden, narrow),
            (self.hidden, self.hidden),
        ]
        return [*attention, (self.hidden, wide), (self.hidden, wide), (wide, self.hidden)]

    @property
    def weights(self) -> int:
        embeddings = self.vocabulary * self.hidden * (1 if self.tied else 2)
        layer = sum(inputs * outputs for inputs, outputs in self.linears) + 2 * self.hidden
        return embeddings + self.layers * layer + self.hidden

    def adapter(self, rank: int) -> int:
        """Weights of LoRA on all linear layers."""
        return self.layers * sum(rank * (inputs + outputs) for inputs, outputs in self.linears)


@dataclass(frozen=True, slots=True)
class Load:
    """What is trained how, on one card."""

    method: str
    rank: int
    length: int
    per_device: int
    bf16: bool
    checkpointing: bool


def estimate(shape: Shape, load: Load) -> int:
    """Bytes on one card."""
    bytes_a_value = 2 if load.bf16 else 4
    if load.method == "full":
        weights = shape.weights * TRAINED
    else:
        weights = shape.weights * bytes_a_value + shape.adapter(load.rank) * TRAINED
    sequences = load.per_device * (2 if load.method == "dpo" else 1)
    tokens = sequences * load.length
    layer = tokens * shape.hidden * _KEPT_A_LAYER * bytes_a_value // 2
    if load.checkpointing:
        activations = layer + shape.layers * tokens * shape.hidden * bytes_a_value
    else:
        activations = layer * shape.layers
    return int(_ROOM * (weights + activations + tokens * shape.vocabulary * _LOGITS))
