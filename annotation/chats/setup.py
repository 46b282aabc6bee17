"""How a chat goes: fixed when it begins, and stored with it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from annotation.chats.log import PERSON, Speaker
from annotation.chats.pace import Kind, Pace
from annotation.chats.plan import SILENCE, Interruption, Limits
from annotation.chats.splitter import Splitter
from generation.prompts import ChatMessage

LONGEST_SILENCE = 30.0


@dataclass(frozen=True, slots=True)
class Setup:
    """`system` is the whole system message. Times are in seconds; `parameters` include the model."""

    parameters: Mapping[str, Any]
    system: str = ""
    delimiter: str = ""
    pace: Kind = "typing"
    seed: int = 0
    silence: float = SILENCE
    longest_silence: float = LONGEST_SILENCE
    interruption: Interruption = "stop"
    theme: str = ""
    traits_of_model: Sequence[str] = field(default_factory=tuple)
    traits_of_person: Sequence[str] = field(default_factory=tuple)
    # The limits of a chat in a study, as `plan.Limits` has them.
    least_turns: int = 0
    most_turns: int = 0
    minutes: int = 0

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Self:
        return cls(**stored)

    @property
    def limits(self) -> Limits:
        return Limits(self.least_turns, self.most_turns, self.minutes)

    def splitter(self) -> Splitter:
        return Splitter(self.delimiter)

    def delay(self, number: int, text: str) -> float:
        return Pace(self.pace, self.seed).delay(number, text)

    def messages(self, history: Sequence[tuple[Speaker, Sequence[str]]]) -> list[ChatMessage]:
        """What is sent: bursts are merged by the delimiter, as in training, so that turns alternate."""
        told: list[ChatMessage] = [{"role": "system", "content": self.system}] if self.system else []
        for speaker, texts in history:
            content = (self.delimiter or "\n").join(texts)
            told.append({"role": "user" if speaker == PERSON else "assistant", "content": content})
        return told
