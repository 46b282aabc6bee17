"""The demo model's settings: its delays, what it refuses, and how often it goes wrong on purpose. Pure."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal

from generation.endpoints.structured import TRIED, Form, schema_in
from generation.parsing import Outcome

DemoStage = Literal["theme", "pair", "further_split", "judge", "chat"]
Reply = dict[str, Any]
# Answered with an HTTP status, or not at all (`cut` closes the connection, `stall` leaves it open).
HTTP_FAULTS: Mapping[str, int] = {
    "rate_limited": 429,
    "quota": 429,
    "server_error": 500,
    "unavailable": 503,
    "unauthorized": 401,
    "bad_request": 400,
}
CONNECTION_FAULTS = ("cut", "stall")
# `empty` sends no choices, `blank` a choice without text.
ENVELOPE_FAULTS = (str(Outcome.TRUNCATED), str(Outcome.FILTERED), str(Outcome.EMPTY), "blank")


def chosen_fault(faults: Mapping[str, float], stage: DemoStage, rng: Random) -> str:
    """At most one fault for a request, "" for none: one draw against the shares of those that fit the stage."""
    draw = rng.random()
    for name, probability in faults.items():
        if not applies(name, stage):
            continue
        if draw < probability:
            return name
        draw -= probability
    return ""


def applies(fault: str, stage: DemoStage) -> bool:
    return fault not in CONTENT_FAULTS or stage in CONTENT_FAULTS[fault][0]


def spoil(text: str, fault: str) -> str:
    """A well-formed reply → one that has the named content fault."""
    if fault == Outcome.UNPARSABLE:
        return f"Of course! Here you are: {text[: len(text) // 2]} and so on"
    if fault == Outcome.REFUSED:
        return "I'm sorry, but I can't score a private conversation between two people."
    reply: Reply = json.loads(text)
    CONTENT_FAULTS[fault][1](reply)
    return json.dumps(reply, ensure_ascii=False)


def _short_theme(reply: Reply) -> None:
    reply["theme"] = " ".join(reply["theme"].split()[:12])


def _no_traits(reply: Reply) -> None:
    reply["traits_1"] = reply["traits_2"] = []


def _third_speaker(reply: Reply) -> None:
    reply["step_by_step"][-1]["speaker"] = "Narrator"


def _runs_in_single_step(reply: Reply) -> None:
    reply["single_step"][1]["speaker"] = reply["single_step"][0]["speaker"]


def _no_runs_in_step_by_step(reply: Reply) -> None:
    for number, message in enumerate(reply["step_by_step"]):
        message["speaker"] = 1 + number % 2


def _only_two_messages(reply: Reply) -> None:
    reply["step_by_step"] = [{"speaker": 1, "text": "Hi!"}, {"speaker": 2, "text": "Hello."}]


def _second_half_lost(reply: Reply) -> None:
    messages = reply["step_by_step"]
    del messages[len(messages) // 2 :]


def _as_much_again_invented(reply: Reply) -> None:
    reply["step_by_step"] += [
        {"speaker": message["speaker"], "text": f"Unheard-of news number {number} from nowhere at all, quite invented!"}
        for number, message in enumerate(list(reply["step_by_step"]))
    ]


def _one_score_left_out(reply: Reply) -> None:
    del reply[next(reversed(reply))]


def _a_score_in_words(reply: Reply) -> None:
    next(iter(reply.values()))["score"] = "rather high"


def _a_score_beyond_the_scale(reply: Reply) -> None:
    next(iter(reply.values()))["score"] = 110


def _no_reasons(reply: Reply) -> None:
    for answer in reply.values():
        del answer["reason"]


Edit = Callable[[Reply], None]
_WITH_STEPS: tuple[DemoStage, ...] = ("pair", "further_split")
CONTENT_FAULTS: Mapping[str, tuple[tuple[DemoStage, ...], Edit]] = {
    Outcome.UNPARSABLE: (("theme", "pair", "further_split", "judge"), dict.clear),
    Outcome.THEME_LENGTH: (("theme",), _short_theme),
    Outcome.TRAITS_MISSING: (("theme",), _no_traits),
    Outcome.WRONG_SPEAKERS: (_WITH_STEPS, _third_speaker),
    Outcome.BETA_HAS_RUNS: (("pair",), _runs_in_single_step),
    Outcome.GAMMA_HAS_NONE: (_WITH_STEPS, _no_runs_in_step_by_step),
    Outcome.TOO_FEW_MESSAGES: (_WITH_STEPS, _only_two_messages),
    Outcome.LOST_CONTENT: (("further_split",), _second_half_lost),
    Outcome.INVENTED_CONTENT: (("further_split",), _as_much_again_invented),
    Outcome.REFUSED: (("judge",), dict.clear),
    Outcome.SCORE_MISSING: (("judge",), _one_score_left_out),
    Outcome.SCORE_NOT_A_NUMBER: (("judge",), _a_score_in_words),
    Outcome.SCORE_OUT_OF_RANGE: (("judge",), _a_score_beyond_the_scale),
    Outcome.REASON_MISSING: (("judge",), _no_reasons),
}
FAULTS: tuple[str, ...] = (*HTTP_FAULTS, *CONNECTION_FAULTS, *ENVELOPE_FAULTS, *map(str, CONTENT_FAULTS))


def read_faults(pairs: list[str]) -> dict[str, float]:
    """`["unparsable=0.02", …]` → probabilities; ValueError says what is wrong."""
    faults: dict[str, float] = {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        if name not in FAULTS:
            raise ValueError(f"unknown fault {name!r}; there are {', '.join(FAULTS)}")
        try:
            faults[name] = float(value)
        except ValueError:
            raise ValueError(f"{pair!r}: write {name}=PROBABILITY, for example {name}=0.05") from None
    check_faults(faults)
    return faults


def check_faults(faults: Mapping[str, float]) -> None:
    """ValueError unless the names are known and the probabilities fit into 1 together."""
    unknown = sorted(set(faults) - set(FAULTS))
    if unknown:
        raise ValueError(f"unknown fault {unknown[0]!r}; there are {', '.join(FAULTS)}")
    if not all(0 <= probability <= 1 for probability in faults.values()) or sum(faults.values()) > 1 + 1e-9:
        raise ValueError("fault probabilities must lie between 0 and 1 and sum to at most 1")


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
    token_seconds: float = 0.0  # that writing a token takes; a stream shows each as it is written
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
