"""How a message is shown: spacing of punctuation and capitals change, words never.

PERSONA-CHAT is lower case with its punctuation split off, so a reader can tell it from generated text at a glance. The
stored text is never changed; `tidied` is for eyes only. It changes only white space and the case of letters, and is
idempotent.
"""

import re
from collections.abc import Sequence
from typing import NotRequired, TypedDict

from core.lines import lines_of
from dialogues.times import ShownTime, shown_times
from dialogues.transcript import Transcript

# How dialogues and scores that the demo model made are known and labelled, wherever they appear.
DEMO_MODEL = "demo-rules"
DEMO_LABEL = "demo rules, not a language model"

_SPACES = re.compile(r"[ \t\u00a0]+")
# “don ' t”, “do n't”, “i 'm”: contractions that a tokenizer cut.
_CUT_APOSTROPHE = re.compile(r"(?<=\w) ?(['’]) ?(?=(?:s|m|re|ve|ll|d|t)\b(?!\w))", re.IGNORECASE)
_CUT_NOT = re.compile(r"(?<=\w) (?=n['’]t\b)", re.IGNORECASE)
# A mark goes to the word before it, where a space, the end, a quote or a bracket follows; “3 . 5” stays.
_BEFORE_MARK = re.compile(r"(?<=\S) +(?=[,.!?…]+(?:[\s\"'”’)\]]|$))(?!(?<=\d )\. ?\d)")
# Not before “:)” and its kind, with or without a space inside.
_BEFORE_COLON = re.compile(r"(?<=\w) +(?=[;:](?:\s*$| +[^\s()dp]| +[dp]\w))", re.IGNORECASE)
_IN_BRACKETS = re.compile(r"([(\[]) *(\w(?:[^()\[\]]*[^()\[\]\s])?) *([)\]])")
_LONE_QUOTE = re.compile(r'(?<!\S)"(?!\S)')
_LONE_I = re.compile(r"(?<![\w.'’\-])i(?=$|[\s,!?;:…\"”)\]]|['’](?:m|d|ve|ll|s|re)\b|\.(?!\w))")
_I = re.compile(r"\bI\b")
_SENTENCE_START = re.compile(r"(^|(?<!\.)[.!?][\"'”’)\]]*\s+)([\"'“‘(\[]*)(?!www\.|https?:)([^\W\d_])", re.MULTILINE)
_ABBREVIATION = re.compile(r"(?:\b(?:vs|etc|approx)|\b[a-hj-z])\.\s+$", re.IGNORECASE)
# How far back an abbreviation can begin; an unlimited look back would take quadratic time on a long text.
_LOOK_BACK = 12


class ShownTurn(TypedDict):
    """What `_bubbles.html` draws: one speaker's run of messages, and when each was sent where that is known."""

    speaker: int
    name: str
    messages: list[str]
    timed: NotRequired[list[tuple[str, ShownTime | None]]]


def turns_for_template(
    transcript: Transcript, names: Sequence[str] = ("A", "B"), *, tidy: bool = False, times: Sequence[str | None] = ()
) -> list[ShownTurn]:
    """The turns as plain data; `names` are those of speakers 1 and 2, `times` those of the messages, if known."""
    turns: list[ShownTurn] = [
        {
            "speaker": turn.speaker,
            "name": names[turn.speaker - 1],
            "messages": [tidied(message.text) if tidy else message.text for message in turn.messages],
        }
        for turn in transcript.turns()
    ]
    if any(times):
        shown = iter(shown_times(times))
        for turn in turns:
            turn["timed"] = list(zip(turn["messages"], shown, strict=False))
    return turns


def tidied(text: str) -> str:
    """The text as a person would have typed it: “i 'm fine , thanks !” becomes “I'm fine, thanks!”.

    Sentences get their capital only where the text has no capitals of its own.
    """
    text = _LONE_I.sub("I", "\n".join(_spaced(line) for line in lines_of(text.strip())))
    others = _I.sub("", text)
    if not others.islower() and any(map(str.isupper, others)):
        return text
    return _SENTENCE_START.sub(_with_capital, text)


def _spaced(line: str) -> str:
    # Most messages have few of these, and a page has many messages: looking first is quicker.
    if "  " in line or "\t" in line or "\u00a0" in line:
        line = _SPACES.sub(" ", line)
    line = line.strip()
    if '"' in line:
        line = _quoted(line)
    if "(" in line or "[" in line:
        line = _IN_BRACKETS.sub(r"\1\2\3", line)
    if "'" in line or "’" in line:
        line = _CUT_APOSTROPHE.sub(r"\1", _CUT_NOT.sub("", line))
    line = _BEFORE_MARK.sub("", line)
    return _BEFORE_COLON.sub("", line) if ":" in line or ";" in line else line


def _quoted(line: str) -> str:
    """Quotation marks that all stand alone, in pairs, are opened and closed in turn."""
    parts = _LONE_QUOTE.split(line)
    if len(parts) % 2 == 0 or line.count('"') != len(parts) - 1:
        return line
    return "".join(part if place % 2 == 0 else f'"{part.strip()}"' for place, part in enumerate(parts))


def _with_capital(found: re.Match[str]) -> str:
    end = found.end(1)
    first = found[3]
    capital = first.upper()
    # A few letters have no capital of one letter that means the same (ß, ı).
    abbreviated = _ABBREVIATION.search(found.string, max(0, end - _LOOK_BACK), end)
    if abbreviated or len(capital) != 1 or capital.casefold() != first.casefold():
        return found[0]
    return found[1] + found[2] + capital
