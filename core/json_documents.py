"""Read an uploaded JSON document, and report everything that is wrong with one."""

import json
from typing import Any

MOST_PROBLEMS = 20


class DocumentError(ValueError):
    """A document that cannot be used; `problems` lists every fault and its place."""

    def __init__(self, problems: list[str]) -> None:
        more = len(problems) - MOST_PROBLEMS
        self.problems = problems[:MOST_PROBLEMS] + ([f"And {more} more."] if more > 0 else [])
        super().__init__(" ".join(self.problems))


def read_object(data: bytes, otherwise: str) -> dict[str, Any]:
    """The JSON object in the bytes; raises DocumentError, with the sentence `otherwise` for JSON of another kind."""
    try:
        found = json.loads(data.decode("utf-8-sig"), parse_constant=_no_constant)
    except UnicodeDecodeError:
        raise DocumentError(["The file is not UTF-8 text."]) from None
    except RecursionError:
        raise DocumentError(["The JSON is nested too deeply."]) from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise DocumentError([f"This is not JSON: {error.msg} at {where}."]) from None
    except ValueError as error:
        raise DocumentError([f"This is not JSON that can be stored: {error}."]) from None
    if not isinstance(found, dict):
        raise DocumentError([otherwise])
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number that JSON knows")
