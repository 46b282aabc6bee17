"""WhatsApp's “Export chat”: a date, a time, a name and a message a line, as Android and iPhone write them.

`31/12/20, 14:05 - Mary: hi` or `[15-01-20 02:22:56] Mary: hi`, with 12 or 24 hours and dates in any order. A line that
does not begin so continues the message before it; one that was pasted into a message and does begin so cannot be told
from a message of its own. Notices without a sender, and those that WhatsApp marks as its own, are set aside and
counted, and so are media and deleted messages, by kind (`whatsapp_words`).
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from core.lines import lines_of
from dialogues.formats.chat_log import Aside, Entry, Log, Said, count, dialogues_of, two_of
from dialogues.formats.date_orders import ORDERS, DateOrders, date_of
from dialogues.formats.head import Head
from dialogues.formats.reading import UnreadableFileError, encoding_problem
from dialogues.formats.records import AS_IT_COMES, LONGEST_MESSAGE, BadRecord, ChoiceError, Choices, GroupError, Record
from dialogues.formats.whatsapp_words import MARKS, is_notice, placeholder, without_edit_mark
from dialogues.times import civil_time

# An export does not say what the chat is called; its file's name does.
KEY = "chat"

_MARK = "[\u200e\u200f\u202a-\u202e]"
_BEGINS = re.compile(
    # In Arabic, marks of direction stand within the date.
    rf"{_MARK}{{0,3}}(\[?)(\d{{1,4}}){_MARK}?([./-]) ?(\d{{1,2}}){_MARK}?\3 ?(\d{{1,4}})[.,،]{{0,2}} "
    r"(?:um |à |klo |kl\. )?([上下午오전후前後]{2} ?)?(\d{1,2})[:.](\d\d)(?:[:.](\d\d))?"
    r"(?:[ \u202f\xa0]?([apصم])(?:\.?[ \u202f\xa0]?m\.?)?)?(\]| -) ",
    re.IGNORECASE,
)
# Before or after noon in Chinese, Korean and Japanese, where it stands before the hour.
_HALVES = {"上午": "a", "下午": "p", "오전": "a", "오후": "p", "午前": "a", "午後": "p"}
_NAMED = re.compile(r"([^:\n]{1,120}):(?: |\n|$)")
_AROUND = f"{MARKS}~ \u202f\xa0"


class _Line(NamedTuple):
    """Where a message begins, and its text; `clock` are hour, minute, second and a or p for morning or afternoon."""

    row: int
    date: tuple[str, str, str]
    clock: tuple[str | None, ...]
    texts: list[str]


def fits(head: Head) -> str:
    first = next(iter(head.lines()), "")
    return "lines that begin with a date, a time and a name" if _begun(1, first) else ""


def parse(lines: Iterable[str], choices: Choices = AS_IT_COMES) -> Iterator[Record | BadRecord]:
    """One record, `chat`, or several where silences split it; only bad records where somebody has to choose.

    That is whose messages are kept of a group, and the order of dates if nothing shows it. `lines` are read twice.
    Raises UnreadableFileError if no line begins as in WhatsApp.
    """
    orders, messages = _looked_over(lines)
    if open_questions := list(_open_questions(orders, messages, choices)):
        yield from open_questions
        return
    order, shown_by = orders.decided(choices.date_order)
    people = two_of(messages, choices.people)
    sides = {name: side for side, name in enumerate(people, 1)}
    facts = (f"Dates are read as {ORDERS[order]} ({shown_by}).",)
    yield from dialogues_of(Log(KEY, _entries(lines, order), people, facts), sides, choices)


def _open_questions(orders: DateOrders, messages: Counter[str], choices: Choices) -> Iterator[BadRecord]:
    try:
        orders.decided(choices.date_order)
    except ChoiceError as error:
        yield BadRecord(1, str(error), KEY, choice=error.choice)
    try:
        two_of(messages, choices.people)
    except GroupError as error:
        yield BadRecord(1, str(error), KEY, error.people)


def _looked_over(lines: Iterable[str]) -> tuple[DateOrders, Counter[str]]:
    """The dates, and how many messages each person writes, in the order in which they first do."""
    orders, messages = DateOrders(), Counter[str]()
    line: _Line | Aside | None = None
    for line in _lines(lines, lambda _: True):
        if isinstance(line, _Line):
            orders.add(line.date)
            for entry in _told(line, None):
                if isinstance(entry, Said):
                    count(messages, entry.person)
    if line is None or isinstance(line, Aside):
        raise UnreadableFileError(
            "No line begins as in a WhatsApp export, with a date, a time and a name: “31/12/20, 14:05 - Mary: hi”."
        )
    return orders, messages


def _entries(lines: Iterable[str], order: str) -> Iterator[Entry]:
    for line in _lines(lines, lambda date: date_of(date, order) is not None):
        if isinstance(line, Aside):
            yield line
            continue
        time = _time(line, order)
        for entry in _told(line, time):
            if isinstance(entry, Said) and not time:
                yield Aside("times_not_read")
            yield entry


def _lines(lines: Iterable[str], is_date: Callable[[tuple[str, str, str]], bool]) -> Iterator[_Line | Aside]:
    """Messages with the lines that continue them; what stands before the first is set aside."""
    current: _Line | None = None
    length = 0
    for row, text in enumerate(lines, 1):
        begun = _begun(row, text)
        if begun and is_date(begun.date):
            if current:
                yield current
            current, length = begun, 0
            continue
        if begun:
            yield Aside("dates_that_do_not_exist_read_as_text")
        if current is None:
            yield from _in_front(text)
        elif length <= LONGEST_MESSAGE:
            # A message longer than any may be is refused whatever follows.
            current.texts.append(text)
            length += len(text)
    if current:
        yield current


def _in_front(text: str) -> Iterator[Aside]:
    if text.strip():
        yield Aside("lines_before_the_first_message_set_aside")


def _begun(row: int, text: str) -> _Line | None:
    found = _BEGINS.match(text)
    if not found or (found[1] == "[") != (found[11] == "]"):
        return None
    hour, minute, second = found.group(7, 8, 9)
    half = found[10] or _HALVES.get((found[6] or "").strip())
    return _Line(row, (found[2], found[4], found[5]), (hour, minute, second, half), [text[found.end() :]])


def _time(line: _Line, order: str) -> str | None:
    date = date_of(line.date, order)
    hour, minute, second, half = line.clock
    hours = int(hour or 0)
    if half and hours <= 12:
        hours = hours % 12 + (12 if half in "pPم" else 0)
    return civil_time(*date, hours, int(minute or 0), int(second or 0)) if date else None


def _told(line: _Line, time: str | None) -> Iterator[Entry]:
    """What a message is: said by somebody, set aside, or both where media have a caption."""
    text = "\n".join(lines_of("".join(line.texts))).rstrip()
    if problem := encoding_problem(text):
        yield BadRecord(line.row, problem)
        return
    named = _NAMED.match(text)
    if not named or _names_nobody(named[1]):
        yield Aside("notices_set_aside")
        return
    person, said = named[1].strip(_AROUND), text[named.end() :]
    if said.startswith("\u200e") and is_notice(said) and not placeholder(said)[0]:
        yield Aside("notices_set_aside")
        return
    yield from _of_person(line.row, person, said.strip(f"{MARKS} \r\n"), time)


# The same few names come again and again.
@lru_cache(maxsize=1000)
def _names_nobody(name: str) -> bool:
    return is_notice(name)


def _of_person(row: int, person: str, text: str, time: str | None) -> Iterator[Entry]:
    unedited = without_edit_mark(text)
    if unedited is not None:
        yield Aside("edit_marks_removed")
    kind, text = placeholder(text if unedited is None else unedited)
    if kind:
        yield Aside(kind)
    elif not text:
        yield Aside("empty_messages_set_aside")
    if text:
        yield Said(row, person, text, time)
