"""Examples as pages show them: turn by turn, with what is trained and where one message ends and the next begins."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from generation.training.rendering import Example, Preference, Turn


class Part(NamedTuple):
    """A piece of a turn: a message, the delimiter between two, or the stop token at the end."""

    kind: str
    text: str


class ShownTurn(NamedTuple):
    """`label` is who speaks, or what a reply is in a preference."""

    role: str
    label: str
    parts: tuple[Part, ...]
    is_trained: bool


class Shown(NamedTuple):
    name: str
    turns: tuple[ShownTurn, ...]


STOP = Part("stop", "stop")


def shown(made: Example | Preference, delimiter: str) -> Shown:
    if isinstance(made, Example):
        return Shown(made.name, tuple(_of_example(made.turns, delimiter)))
    prompt = (_turn(turn.role, turn.role, turn.content, delimiter) for turn in made.prompt)
    replies = (("preferred reply", made.chosen), ("rejected reply", made.rejected))
    answers = (_turn("assistant", label, text, delimiter, is_trained=True) for label, text in replies)
    return Shown(made.name, (*prompt, *answers))


def _of_example(turns: Sequence[Turn], delimiter: str) -> Iterator[ShownTurn]:
    for turn in turns:
        yield _turn(turn.role, turn.role, turn.content, delimiter, is_trained=turn.role == "assistant")


def _turn(role: str, label: str, content: str, delimiter: str, *, is_trained: bool = False) -> ShownTurn:
    if role == "system":
        return ShownTurn(role, label, (Part("text", content),), is_trained)
    parts = []
    for place, text in enumerate(content.split(delimiter)):
        parts += [Part("delimiter", _visible(delimiter))] if place else []
        parts.append(Part("text", text))
    return ShownTurn(role, label, (*parts, STOP) if is_trained else tuple(parts), is_trained)


def _visible(delimiter: str) -> str:
    return delimiter.replace("\n", "⏎")
