"""One form of training data: which lines an example becomes, and which further files its reader wants."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from generation.training.rendering import Example, Preference, Turn

Made = Example | Preference
Row = dict[str, Any]
# JSON leaves these as they are, and many readers end a line at them.
_LINE_ENDS = str.maketrans({end: f"\\u{ord(end):04x}" for end in "\u0085\u2028\u2029"})


def no_files(splits: Sequence[str]) -> Mapping[str, str]:
    return {}


def one(made: Made) -> int:
    return 1


@dataclass(frozen=True, slots=True)
class Target:
    """`rows` gives the lines of an example, and `expected` says how many they must be.

    `files` gives the texts of the reader's own files by name, for the splits that hold examples.
    """

    name: str
    folder: str
    label: str
    about: str
    rows: Callable[[Any], Iterable[Row]]
    expected: Callable[[Any], int] = one
    files: Callable[[Sequence[str]], Mapping[str, str]] = no_files

    def lines(self, made: Made) -> Iterator[str]:
        return map(json_line, self.rows(made))


class Written(str):
    """A value that is JSON already."""

    __slots__ = ()


def json_line(row: Row) -> str:
    """One object on a line that every reader takes for one line."""
    return _json(row) + "\n"


def messages(turns: Iterable[Turn]) -> list[Written]:
    return list(map(_message, turns))


def reply(content: str) -> Written:
    return _message(Turn("assistant", content))


def _json(value: Any) -> str:
    if isinstance(value, Written):
        return value
    if isinstance(value, list):
        return f"[{', '.join(map(_json, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(name)}: {_json(one)}' for name, one in value.items())}}}"
    line = json.dumps(value, ensure_ascii=False)
    return line if line.isascii() else line.translate(_LINE_ENDS)


# Every target writes the same messages, TRL's prompts each of them many times: five times as fast as writing them anew.
@lru_cache(maxsize=1024)
def _message(turn: Turn) -> Written:
    return Written(_json({"role": turn.role, "content": turn.content}))


def without_system(turns: Sequence[Turn]) -> tuple[str, Sequence[Turn]]:
    """The system message, "" if there is none, and the turns after it."""
    return (turns[0].content, turns[1:]) if turns[0].role == "system" else ("", turns)
