"""How the demo model behaves: its delays, its faults, and which requests it refuses. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from demo.model.faults import check_faults
from generation.endpoints.structured import TRIED, Form, schema_in


@dataclass(frozen=True, slots=True)
class BatchSettings:
    """Whether there is a Batch API, seconds until a batch ends, and how it ends."""

    offered: bool = True
    seconds: float = 2.0
    answered: float = 1.0  # share of the lines; with less than all the batch expires
    invalid: bool = False  # every batch fails its validation
    silence: float = 0.0  # seconds between a batch's beginning and the answer that says so


@dataclass(frozen=True, slots=True)
class DemoSettings:
    """Seconds before an answer (fixed, and the most that is added), and probabilities of faults by name."""

    seed: int = 0
    latency: float = 0.0
    jitter: float = 0.0
    retry_after: float = 1.0
    faults: Mapping[str, float] = field(default_factory=dict)
    # What happens to a schema in a request; some servers accept one and ignore it.
    schemas: Literal["heed", "ignore", "refuse"] = "heed"
    spellings: Sequence[Form] = TRIED  # those that are honoured
    models: Sequence[str] = ()  # the names it answers to; none: any
    api_keys: Sequence[str] = ()  # the keys it accepts; none: any
    batches: BatchSettings = field(default_factory=BatchSettings)

    def __post_init__(self) -> None:
        check_faults(self.faults)

    @property
    def heeded(self) -> Sequence[Form]:
        return self.spellings if self.schemas == "heed" else ()

    def key_refusal(self, authorization: str) -> str:
        """Why a key is refused, or ""."""
        known = not self.api_keys or authorization.removeprefix("Bearer ") in self.api_keys
        return "" if known else "The key is not one of those that this server knows."

    def refusal(self, body: Mapping[str, Any], authorization: str) -> tuple[int, str, str] | None:
        """(status, code, words) if a request is refused before it is read, else None."""
        words = self.key_refusal(authorization)
        if words:
            return 401, "invalid_api_key", words
        if self.models and body.get("model") not in self.models:
            return 404, "model_not_found", f"The model {str(body.get('model'))[:100]!r} does not exist."
        if self.schemas == "refuse" and schema_in(body) is not None:
            return 400, "unsupported_parameter", "This server knows no response_format and no structured_outputs."
        return None
