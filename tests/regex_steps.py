"""How many steps a backtracking engine takes to search a text: counted, so that no clock is asked.

The engine is the textbook one, over the tree that `re` itself parses. Python's own takes short cuts, so it never takes
more steps than these by more than a factor.
"""

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from re import _constants as ops  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

Then = Callable[[int], bool]
SINGLE = (ops.LITERAL, ops.NOT_LITERAL, ops.ANY, ops.IN)
CATEGORIES: dict[Any, Callable[[str], bool]] = {
    ops.CATEGORY_DIGIT: str.isdecimal,
    ops.CATEGORY_SPACE: str.isspace,
    ops.CATEGORY_WORD: lambda letter: letter.isalnum() or letter == "_",
}
NEGATED = {
    ops.CATEGORY_NOT_DIGIT: ops.CATEGORY_DIGIT,
    ops.CATEGORY_NOT_SPACE: ops.CATEGORY_SPACE,
    ops.CATEGORY_NOT_WORD: ops.CATEGORY_WORD,
}


def search_steps(pattern: re.Pattern[str], text: str, *, anchored: bool = False) -> int:
    """Steps to find everything that the pattern matches in the text; `anchored`: at its first letter only."""
    counter = _Counter(pattern.flags, text)
    tree = list(parser.parse(pattern.pattern, pattern.flags))
    at = 0
    with _deep(40 * len(text) + 5000):
        while at <= (0 if anchored else len(text)):
            ends: list[int] = []
            found = counter.match(tree, 0, at, lambda end, ends=ends: not ends.append(end))  # type: ignore[misc]
            at = max(at + 1, ends[-1]) if found else at + 1
    return counter.steps


@contextmanager
def _deep(limit: int) -> Iterator[None]:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, limit))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


class _Counter:
    def __init__(self, flags: int, text: str) -> None:
        self.flags, self.text, self.steps = flags, text, 0

    def match(self, items: Sequence[Any], number: int, at: int, then: Then) -> bool:
        """Whether items[number:] match from `at` on, and `then` what comes after them."""
        if number == len(items):
            return then(at)
        self.steps += 1
        op, value = items[number]

        def later(end: int) -> bool:
            return self.match(items, number + 1, end, then)

        if op in SINGLE:
            return self._fits(op, value, at) and later(at + 1)
        return bool(getattr(self, f"_{op.name.lower()}")(value, at, later))

    def _fits(self, op: Any, value: Any, at: int) -> bool:
        self.steps += 1
        if at >= len(self.text):
            return False
        letter = self.text[at]
        if op is ops.ANY:
            return bool(self.flags & re.DOTALL) or letter != "\n"
        if op is ops.IN:
            negate = value[0][0] is ops.NEGATE
            return any(self._is_in(part[0], part[1], letter) for part in value[negate:]) != negate
        return self._is_in(ops.LITERAL, value, letter) == (op is ops.LITERAL)

    def _is_in(self, op: Any, value: Any, letter: str) -> bool:
        if op is ops.CATEGORY:
            return not CATEGORIES[NEGATED[value]](letter) if value in NEGATED else CATEGORIES[value](letter)
        same = {letter, letter.lower(), letter.upper()} if self.flags & re.IGNORECASE else {letter}
        low, high = value if op is ops.RANGE else (value, value)
        return any(len(one) == 1 and low <= ord(one) <= high for one in same)

    def _branch(self, value: Any, at: int, later: Then) -> bool:
        return any(self.match(items, 0, at, later) for items in map(list, value[1]))

    def _subpattern(self, value: Any, at: int, later: Then) -> bool:
        return self.match(list(value[3]), 0, at, later)

    def _atomic_group(self, value: Any, at: int, later: Then) -> bool:
        ends: list[int] = []
        return self.match(list(value), 0, at, lambda end: not ends.append(end)) and later(ends[-1])  # type: ignore[func-returns-value]

    def _max_repeat(self, value: Any, at: int, later: Then) -> bool:
        low, high, body = value
        items = list(body)
        if len(items) == 1 and items[0][0] in SINGLE:
            end = at
            while end - at < high and self._fits(items[0][0], items[0][1], end):
                end += 1
            return any(later(place) for place in self._back(end, at + low))
        return self._again(items, (low, high), 0, at, later)

    def _back(self, end: int, start: int) -> Iterator[int]:
        for place in range(end, start - 1, -1):
            self.steps += 1
            yield place

    def _again(self, items: Sequence[Any], times: tuple[int, int], done: int, at: int, later: Then) -> bool:
        def more(end: int) -> bool:
            return end > at and self._again(items, times, done + 1, end, later)

        return (done < times[1] and self.match(items, 0, at, more)) or (done >= times[0] and later(at))

    def _min_repeat(self, value: Any, at: int, later: Then) -> bool:
        low, high, body = value
        return self._lazily(list(body), (low, high), at, later)

    def _lazily(self, items: Sequence[Any], times: tuple[int, int], at: int, later: Then) -> bool:
        ends, done = [at], 0
        while True:
            if done >= times[0] and later(ends[-1]):
                return True
            if done >= times[1] or not self.match(items, 0, ends[-1], lambda end: not ends.append(end)):  # type: ignore[func-returns-value]
                return False
            done += 1

    def _possessive_repeat(self, value: Any, at: int, later: Then) -> bool:
        low, high, body = value
        ends, done = [at], 0
        while done < high and self.match(list(body), 0, ends[-1], lambda end: not ends.append(end)):  # type: ignore[func-returns-value]
            done += 1
            if ends[-1] == ends[-2]:
                break
        return done >= low and later(ends[-1])

    def _at(self, value: Any, at: int, later: Then) -> bool:
        before, after = self.text[at - 1 : at] if at else "", self.text[at : at + 1]
        word = CATEGORIES[ops.CATEGORY_WORD]
        edge = (bool(before) and word(before)) != (bool(after) and word(after))
        lines = bool(self.flags & re.MULTILINE)
        holds = {
            ops.AT_BEGINNING: not before or (lines and before == "\n"),
            ops.AT_BEGINNING_STRING: not before,
            ops.AT_END: not self.text[at:].removesuffix("\n") or (lines and after == "\n"),
            ops.AT_END_STRING: not after,
            ops.AT_BOUNDARY: edge,
            ops.AT_NON_BOUNDARY: not edge,
        }
        return holds[value] and later(at)

    def _assert(self, value: Any, at: int, later: Then) -> bool:
        return self._looks(value, at) and later(at)

    def _assert_not(self, value: Any, at: int, later: Then) -> bool:
        return not self._looks(value, at) and later(at)

    def _looks(self, value: tuple[int, Any], at: int) -> bool:
        direction, body = value
        if direction > 0:
            return self.match(list(body), 0, at, lambda _: True)
        start = at - body.getwidth()[0]
        return start >= 0 and self.match(list(body), 0, start, lambda end: end == at)
