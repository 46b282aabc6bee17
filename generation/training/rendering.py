"""Dialogues as training examples: turns of user and assistant, strictly in turn, messages joined by the delimiter.

Llama-like templates raise and LLaMA-Factory blanks an example silently where turns do not alternate from user to
assistant. So an example always starts with the user and ends with the assistant; what has to be cut for that is
counted, and a dialogue that leaves nothing is refused with a reason.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from dialogues.transcript import Speaker, Transcript
from generation.training.delimiter import DEFAULT, DelimiterInTextError, control_mark, joined

Role = Literal["system", "user", "assistant"]
PLACEHOLDERS = {
    "traits": "the characters of the speaker that the model plays, each a sentence",
    "other_traits": "the characters of the other speaker",
    "theme": "what the dialogue is about",
    "delimiter": "the delimiter",
}
DEFAULT_SYSTEM = """You are a person in a private chat with another person. Stay in character.
About you: {traits}
What the chat is about: {theme}"""
_PLACEHOLDER = re.compile(r"\{([a-z_]{1,20})\}")


class Turn(NamedTuple):
    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Source:
    """A dialogue with the background it is trained on. `background` names its original: versions share it."""

    key: str
    background: str
    version: str
    transcript: Transcript
    theme: str = ""
    traits_1: tuple[str, ...] = ()
    traits_2: tuple[str, ...] = ()

    def traits_of(self, speaker: Speaker) -> tuple[str, ...]:
        return self.traits_1 if speaker == 1 else self.traits_2


@dataclass(frozen=True, slots=True)
class Form:
    """How examples are written. `opener` is what the user says where the model's side speaks first.

    Without an opener the model's first turn is cut.
    """

    delimiter: str = DEFAULT
    system: str = DEFAULT_SYSTEM
    opener: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """One dialogue from one side: a system message where the template gives one, then user and assistant in turn.

    `cut` counts turns that had to go: `opening_turns` of the assistant, `closing_turns` of the user.
    """

    key: str
    background: str
    version: str
    side: Speaker
    turns: tuple[Turn, ...]
    cut: Mapping[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Unique within a set, such as `d17/stephanie/1`."""
        return f"{self.key}/{self.side}"


@dataclass(frozen=True, slots=True)
class Preference:
    """One reply that is better than another after the same turns; `prompt` ends with the user's turn."""

    key: str
    background: str
    version: str
    worse_version: str
    side: Speaker
    turn: int
    prompt: tuple[Turn, ...]
    chosen: str
    rejected: str

    @property
    def name(self) -> str:
        return f"{self.key}/{self.side}/{self.turn}"


class NotRenderedError(ValueError):
    """A dialogue that makes no example; the text says why, and `kind` is the reason's name in counts."""

    def __init__(self, kind: str, why: str) -> None:
        super().__init__(why)
        self.kind = kind


REASONS = {
    "delimiter_in_text": "The text holds the delimiter.",
    "control_mark_in_text": "The text holds a mark of chat templates, such as <|eot_id|>.",
    "no_exchange": "No turn of the other side is followed by one of the model's side.",
}
CUTS = {
    "opening_turns": "first turns of the model's side, which nobody had asked for",
    "closing_turns": "last turns of the other side, which the model does not answer",
}


def template_problem(template: str) -> str:
    """Why this cannot be the template of system messages, and what to do; "" if it can."""
    unknown = [name for name in _PLACEHOLDER.findall(template) if name not in PLACEHOLDERS]
    if unknown:
        known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
        return f"The system message has an unknown placeholder {{{unknown[0]}}}. Known are {known}."
    mark = control_mark(template)
    return f"The system message holds {mark}, a mark of chat templates. Take it out." if mark else ""


def system_message(source: Source, side: Speaker, form: Form) -> str:
    """The filled template; a line is left out where all its placeholders are empty. Values are never filled again."""
    values = {
        "traits": " ".join(source.traits_of(side)),
        "other_traits": " ".join(source.traits_of(2 if side == 1 else 1)),
        "theme": " ".join(source.theme.split()),
        "delimiter": form.delimiter,
    }
    lines = []
    for line in form.system.strip().split("\n"):
        named = _PLACEHOLDER.findall(line)
        if not named or any(values[name] for name in named):
            lines.append(_PLACEHOLDER.sub(lambda found: values[found[1]], line))
    return "\n".join(lines).strip()


def example(source: Source, side: Speaker, form: Form) -> Example:
    """The dialogue with `side` as the assistant; raises NotRenderedError."""
    turns, cut = _alternating(_turns(source, side, form.delimiter), form.opener)
    if not turns:
        raise NotRenderedError("no_exchange", REASONS["no_exchange"])
    turns = [*_system(source, side, form), *turns]
    _refuse_control_marks(turns)
    return Example(source.key, source.background, source.version, side, tuple(turns), cut)


def preferences(
    better: Source, worse: Source, side: Speaker, form: Form, *, shared_words_only: bool
) -> Iterator[Preference]:
    """The better dialogue's replies, each preferred to the worse one's reply at the same place.

    The prompt is what was said before in the better dialogue. With `shared_words_only` a reply counts only if the same
    words, however cut into messages, were said before in the worse one, too. Equal replies make no preference. Raises
    NotRenderedError.
    """
    good, bad = example(better, side, form), example(worse, side, form)
    offset = sum(turn.role == "system" for turn in good.turns)
    mine, theirs = good.turns[offset:], [turn for turn in bad.turns if turn.role != "system"]
    for place in range(1, min(len(mine), len(theirs)), 2):
        if shared_words_only and _words(mine[:place], form) != _words(theirs[:place], form):
            return
        chosen, rejected = mine[place].content, theirs[place].content
        if chosen != rejected:
            yield Preference(
                good.key,
                good.background,
                good.version,
                bad.version,
                side,
                place // 2 + 1,
                (*good.turns[:offset], *mine[:place]),
                chosen,
                rejected,
            )


def _turns(source: Source, side: Speaker, delimiter: str) -> list[Turn]:
    try:
        return [
            Turn("assistant" if turn.speaker == side else "user", joined([m.text for m in turn.messages], delimiter))
            for turn in source.transcript.turns()
        ]
    except DelimiterInTextError:
        raise NotRenderedError("delimiter_in_text", REASONS["delimiter_in_text"]) from None


def _alternating(turns: list[Turn], opener: str) -> tuple[list[Turn], Mapping[str, int]]:
    """The turns from the first of the user to the last of the assistant, and what was cut."""
    cut: Counter[str] = Counter()
    if turns[0].role == "assistant":
        if opener:
            turns = [Turn("user", opener), *turns]
        else:
            turns = turns[1:]
            cut["opening_turns"] += 1
    if turns and turns[-1].role == "user":
        turns = turns[:-1]
        cut["closing_turns"] += 1
    return turns, dict(cut)


def _system(source: Source, side: Speaker, form: Form) -> list[Turn]:
    text = system_message(source, side, form)
    return [Turn("system", text)] if text else []


def _refuse_control_marks(turns: Sequence[Turn]) -> None:
    for turn in turns:
        if mark := control_mark(turn.content):
            why = f"The text holds {mark}, a mark of chat templates."
            raise NotRenderedError("control_mark_in_text", why)


def _words(turns: Sequence[Turn], form: Form) -> list[list[str]]:
    return [turn.content.replace(form.delimiter, " ").split() for turn in turns]
