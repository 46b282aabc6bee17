"""Read a list of people to invite from text: one address a line, or CSV with e-mail and pseudonym. Pure."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.lines import BYTE_ORDER_MARK, lines_of

MOST_ROWS = 500
MOST_ERRORS = 20
LONGEST_ADDRESS, LONGEST_PSEUDONYM = 254, 40
# What browsers accept as an address in a form, with a dot required in the domain.
ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
PSEUDONYM = re.compile(r"[\w .-]+")
HEADS = {
    "email": "email",
    "e-mail": "email",
    "e-mail address": "email",
    "email address": "email",
    "mail": "email",
    "address": "email",
    "pseudonym": "pseudonym",
    "code": "pseudonym",
}
# Prefixes of pseudonyms that are drawn at random or belong to the simulator.
RESERVED = ("rater-", "simulated-", "member-")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody to invite; `row` is their line in the list, from 1."""

    row: int
    email: str
    pseudonym: str = ""


@dataclass(frozen=True, slots=True)
class People:
    """A list as read: each person once, rows that repeat an earlier one, and errors with their rows."""

    people: tuple[Person, ...] = ()
    repeated: tuple[Person, ...] = ()
    errors: tuple[str, ...] = ()


def read_list(text: str) -> People:
    """Read every row. If there is any error, use nothing of the list."""
    lines = list(_rows(text.removeprefix(BYTE_ORDER_MARK)))
    columns, lines = _columns(lines)
    people: list[Person] = []
    repeated: list[Person] = []
    errors: list[str] = []
    seen: set[str] = set()
    names: dict[str, int] = {}
    for row, cells in lines:
        person = Person(row, **{name: cells[place] for name, place in columns.items() if place < len(cells)})
        if problem := _problem(person, cells, columns):
            errors.append(f"Row {row}: {problem}")
        elif person.email.casefold() in seen:
            repeated.append(person)
        elif person.pseudonym and (first := names.setdefault(person.pseudonym.casefold(), row)) != row:
            errors.append(f"Row {row}: the pseudonym “{person.pseudonym}” is already in row {first}.")
        else:
            seen.add(person.email.casefold())
            people.append(person)
    if len(people) > MOST_ROWS:
        errors.insert(0, f"The list has {len(people):,} people; at most {MOST_ROWS} fit into one. Send it in parts.")
    if not lines:
        errors.append("The list is empty. Put one e-mail address on each line.")
    return People(tuple(people), tuple(repeated), tuple(errors))


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """The line number and stripped cells of every row that is not empty; comma, semicolon or tab between cells."""
    first = next((line for line in lines_of(text) if line.strip()), "")
    mark = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text.replace("\x00", "\ufffd"), newline=""), delimiter=mark)
    while True:
        # `line_num` is the last line of a row whose quoted cell spans several.
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield reader.line_num, ["a cell that is too long or not closed"]
            continue
        if any(cell.strip() for cell in cells):
            yield reader.line_num, [cell.strip() for cell in cells]


def _columns(lines: list[tuple[int, list[str]]]) -> tuple[dict[str, int], list[tuple[int, list[str]]]]:
    """Each value's column, and the rows below the heading; without a heading: address, then pseudonym."""
    if lines:
        heads = [HEADS.get(cell.casefold(), "") for cell in lines[0][1]]
        if "email" in heads:
            return {name: heads.index(name) for name in ("email", "pseudonym") if name in heads}, lines[1:]
    return {"email": 0, "pseudonym": 1}, lines


def _problem(person: Person, cells: Sequence[str], columns: dict[str, int]) -> str:
    if columns == {"email": 0, "pseudonym": 1} and len(cells) > 2:
        return "has more than two values. Name the columns in a first row: email, pseudonym."
    if not person.email:
        return "has no e-mail address."
    if len(person.email) > LONGEST_ADDRESS or not ADDRESS.fullmatch(person.email):
        return f"“{person.email[:60]}” is not an e-mail address."
    if person.pseudonym and (len(person.pseudonym) > LONGEST_PSEUDONYM or not PSEUDONYM.fullmatch(person.pseudonym)):
        return f"a pseudonym has at most {LONGEST_PSEUDONYM} letters, digits, spaces, dots and hyphens."
    if person.pseudonym.casefold().startswith(RESERVED):
        return f"pseudonyms that begin with “{person.pseudonym.split('-')[0]}-” are given by the workbench itself."
    return ""
