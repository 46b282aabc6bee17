"""A dialogue as plain text for a box: one message a line, `A: text` or `B: text`.

A line that begins with `|` goes on the message above it, so that a message may have line breaks. Apart from carriage
returns, which a browser does not keep, writing a dialogue and reading it gives the same dialogue.
"""

import re

from core.lines import lines_of
from dialogues.transcript import Message, Speaker, Transcript, message_problem

_LABELLED = re.compile(r"[ \t]*([AaBb12])[ \t]*[:：][ \t]?(.*)", re.DOTALL)
_SPEAKERS: dict[str, Speaker] = {"a": 1, "1": 1, "b": 2, "2": 2}
MOST_PROBLEMS = 10


class PlainTextError(ValueError):
    """Text that is no dialogue; `problems` says for each line at fault what is wrong with it."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


def to_text(transcript: Transcript) -> str:
    lines = (f"{'AB'[speaker - 1]}: " + "\n| ".join(lines_of(text)) for speaker, text in transcript)
    return "\n".join(lines)


def from_text(text: str) -> Transcript:
    """Raises PlainTextError with a sentence for every line that is wrong."""
    messages: list[tuple[int, Speaker, list[str]]] = []
    problems = []
    for row, line in enumerate(lines_of(text), 1):
        found = _LABELLED.fullmatch(line)
        if found:
            messages.append((row, _SPEAKERS[found[1].lower()], [found[2]]))
        elif line.startswith("|") and messages:
            messages[-1][2].append(line[1:].removeprefix(" "))
        elif line.strip():
            problems.append(f"Line {row} says neither A: nor B: at its start.")
    read = [(row, Message(speaker, "\n".join(lines))) for row, speaker, lines in messages]
    problems += [f"Line {row}: {problem}." for row, message in read if (problem := message_problem(*message))]
    if not read and not problems:
        problems = ["There is no message yet."]
    if problems:
        more = len(problems) - MOST_PROBLEMS
        raise PlainTextError(problems[:MOST_PROBLEMS] + ([f"And {more} more."] if more > 0 else []))
    return Transcript(tuple(message for _, message in read))
