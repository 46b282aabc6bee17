"""The content of one example as a value: texts, theme, traits, topic and note, checked before they are stored."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

from dialogues.transcript import Transcript, TranscriptError, text_problem

# The kind whose examples have a text before and one after.
PAIRS = "further_split"
MOST_EXAMPLES = 200
MOST_TRAITS = 50
TOPIC_LENGTH = 60


class ContentError(ValueError):
    """An example that no set can hold; the text says why. `about` is the field that is wrong."""

    def __init__(self, reason: str, about: str = "messages") -> None:
        super().__init__(reason)
        self.about = about


class TwinError(ContentError):
    """The set has this text or this dialogue already, at `position`; `content` is what stands there."""

    def __init__(self, reason: str, position: int, content: "Content") -> None:
        super().__init__(reason)
        self.position, self.content = position, content


@dataclass(frozen=True, slots=True)
class Content:
    """One example without its place in a set and without its source."""

    messages: Transcript
    messages_after: Transcript | None = None
    topic: str = ""
    theme: str = ""
    traits_1: tuple[str, ...] = ()
    traits_2: tuple[str, ...] = ()
    note: str = ""

    @classmethod
    def of(
        cls,
        kind: str,
        *,
        messages: Iterable[Sequence[Any]],
        messages_after: Iterable[Sequence[Any]] | None = None,
        traits_1: Iterable[str] = (),
        traits_2: Iterable[str] = (),
        **texts: str,
    ) -> Self:
        """From plain lists; raises ContentError."""
        content = cls(
            _transcript(messages, "messages"),
            None if messages_after is None else _transcript(messages_after, "messages_after"),
            traits_1=_traits(traits_1, "traits_1"),
            traits_2=_traits(traits_2, "traits_2"),
            **{name: _text(text, name) for name, text in texts.items()},
        )
        content.check_kind(kind)
        return content

    def check_kind(self, kind: str) -> None:
        """Raise ContentError unless a set of this kind can hold it."""
        if kind == PAIRS and self.messages_after is None:
            raise ContentError("a further-split pair needs the dialogue before and after", "messages_after")
        if kind != PAIRS and self.messages_after is not None:
            raise ContentError("only further-split pairs have a second text", "messages_after")
        if self.messages_after == self.messages:
            raise ContentError("before and after say the same: the pair would show nothing", "messages_after")
        if len(self.topic) > TOPIC_LENGTH:
            raise ContentError(f"the topic is longer than {TOPIC_LENGTH} characters", "topic")

    def as_fields(self) -> dict[str, Any]:
        """The values of a row's fields."""
        return {
            "messages": self.messages.to_json(),
            "messages_after": self.messages_after and self.messages_after.to_json(),
            "topic": self.topic,
            "theme": self.theme,
            "traits_1": list(self.traits_1),
            "traits_2": list(self.traits_2),
            "note": self.note,
        }


FIELDS = ("messages", "messages_after", "topic", "theme", "traits_1", "traits_2", "note")


def _transcript(pairs: Iterable[Sequence[Any]], about: str) -> Transcript:
    try:
        return Transcript.of(pairs)
    except (TranscriptError, TypeError) as error:
        raise ContentError(str(error) if isinstance(error, TranscriptError) else "not a list", about) from error


def _text(text: object, about: str) -> str:
    if not isinstance(text, str):
        raise ContentError(f"{about} must be text", about)
    if problem := text_problem(text):
        raise ContentError(f"{about}: {problem}", about)
    return text


def _traits(traits: Iterable[str], about: str) -> tuple[str, ...]:
    if isinstance(traits, str) or not isinstance(traits, Iterable):
        raise ContentError(f"{about} must be a list of texts", about)
    found = tuple(_text(trait, about) for trait in traits)
    if len(found) > MOST_TRAITS:
        raise ContentError(f"{about}: at most {MOST_TRAITS} traits", about)
    return found
