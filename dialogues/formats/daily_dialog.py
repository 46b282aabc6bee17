"""DailyDialog's text: a dialogue a line, `__eou__` after each message, speakers by turns.

Nothing in a file names the speakers. The first message is speaker 1's and then they alternate, which the tally counts
as `speakers_by_turn_order`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from dialogues.formats.head import Head
from dialogues.formats.reading import encoding_problem
from dialogues.formats.records import AS_IT_COMES, BadRecord, Choices, Record, checked

END = "__eou__"


def fits(head: Head) -> str:
    first = next(iter(head.lines()), "")
    return f"messages that end with {END}" if END in first else ""


def parse(lines: Iterable[str], choices: Choices = AS_IT_COMES) -> Iterator[Record | BadRecord]:
    """One record a line, keyed by its line in the file (`00001`, …)."""
    for row, line in enumerate(lines, 1):
        if line.strip():
            yield _record(row, line.strip())


def _record(row: int, line: str) -> Record | BadRecord:
    key = f"{row:05}"
    if problem := encoding_problem(line):
        return BadRecord(row, problem, key)
    *messages, rest = line.split(END)
    if rest.strip():
        return BadRecord(row, f"the line ends without {END}; the message may be cut off", key)
    pairs = [(1 + place % 2, text) for place, text in enumerate(map(str.strip, messages)) if text]
    tally = Counter(speakers_by_turn_order=1, empty_messages_set_aside=len(messages) - len(pairs))
    return checked(row, key, pairs, tally=+tally)
