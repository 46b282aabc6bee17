"""JSON as the standard has it, one value at a time: no NaN, no key twice in one object, no endless nesting."""

import json
from typing import Any, NoReturn


class RefusedError(ValueError):
    """A value that cannot be a dialogue; the text says why."""


def loads(text: str) -> Any:
    """The value of a whole text; raises RefusedError."""
    try:
        value, end = _STRICT.raw_decode(text, _start(text))
    except RefusedError:
        raise
    except RecursionError:
        raise RefusedError("the JSON is nested too deeply") from None
    except ValueError as error:
        raise RefusedError(not_json(error)) from None
    if text[end:].strip(" \t\r\n"):
        raise RefusedError(f"not JSON: Extra data at character {_start(text, end) + 1}")
    return value


def value_at(text: str, start: int) -> tuple[Any, int]:
    """The value that begins at `start` and the place behind it.

    A value that is JSON but not strictly so comes as a RefusedError in place of the value, because what stands behind
    it can still be read. Raises ValueError if the text is no JSON there, or not yet all of it, and RecursionError.
    """
    try:
        return _STRICT.raw_decode(text, start)
    except json.JSONDecodeError:
        raise
    except RefusedError as error:
        return error, _LENIENT.raw_decode(text, start)[1]
    except ValueError as error:
        return RefusedError(not_json(error)), _LENIENT.raw_decode(text, start)[1]


def not_json(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"not JSON: {error.msg} at character {error.pos + 1}"
    return f"not JSON: {str(error)[:200]}"


def _start(text: str, at: int = 0) -> int:
    return len(text) - len(text[at:].lstrip(" \t\r\n"))


def _no_constant(name: str) -> NoReturn:
    raise RefusedError(f"{name} is not JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise RefusedError("a key appears twice in one object")
    return found


_STRICT = json.JSONDecoder(parse_constant=_no_constant, object_pairs_hook=_unique)
# Finds the end of a value that is refused; numbers stay text, as Python refuses to convert very long ones.
_LENIENT = json.JSONDecoder(parse_int=str)
