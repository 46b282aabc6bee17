"""A plain CSV with the columns dialogue_id, speaker and text: one message a row, dialogues one after another.

Any two speaker labels; the first to speak is speaker 1, unless the labels are 1 and 2 themselves. Commas,
semicolons and tabs separate, as the header shows. Other columns are passed over. A row that is not CSV at all
has no dialogue_id, so it spoils the dialogue before it and the one after it: it may belong to either.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain

from dialogues.formats.reading import UnreadableFileError, csv_rows
from dialogues.formats.records import BadRecord, Record, checked

COLUMNS = ("dialogue_id", "speaker", "text")
DELIMITERS = (",", ";", "\t")


@dataclass(slots=True)
class _Run:
    """Consecutive rows of one dialogue: (row, speaker, text) each, and the broken row beside them, if any."""

    key: str
    rows: list[tuple[int, str, str]] = field(default_factory=list)
    broken: BadRecord | None = None


def delimiter_of(header: str) -> str | None:
    """Which delimiter makes this line a header with the three columns, or None."""
    for delimiter in DELIMITERS:
        names = {name.strip().strip('"').lower() for name in header.rstrip("\r\n").split(delimiter)}
        if set(COLUMNS) <= names:
            return delimiter
    return None


def parse(lines: Iterable[str]) -> Iterator[Record | BadRecord]:
    """One record a run of rows with one dialogue_id; raises UnreadableFileError without a header."""
    lines = iter(lines)
    first = next(lines, "")
    rows = csv_rows(chain([first], lines), delimiter_of(first) or ",")
    _, header = next(rows, (1, []))
    names = [] if isinstance(header, str) else [name.strip().lower() for name in header]
    if not set(COLUMNS) <= set(names):
        raise UnreadableFileError(f"The first row must name the columns {', '.join(COLUMNS)}.")
    for run in _runs(rows, names):
        yield _record(run)


def _runs(rows: Iterable[tuple[int, list[str] | str]], names: list[str]) -> Iterator[_Run]:
    places = [names.index(name) for name in COLUMNS]
    run = _Run("")
    just_before: BadRecord | None = None
    for row, cells in rows:
        if isinstance(cells, str) or len(cells) != len(names):
            if cells:
                just_before = _broken(row, cells, len(names))
                run.broken = run.broken or just_before
            continue
        key, speaker, text = (cells[place].strip() for place in places)
        if key != run.key or not run.rows:
            if run.rows:
                yield run
            run = _Run(key, broken=just_before)
        just_before = None
        run.rows.append((row, speaker, text))
    if run.rows or run.broken:
        yield run


def _broken(row: int, cells: list[str] | str, width: int) -> BadRecord:
    return BadRecord(row, cells if isinstance(cells, str) else f"{len(cells)} cells where the header has {width}")


def _record(run: _Run) -> Record | BadRecord:
    labels = list(dict.fromkeys(speaker for _, speaker, _ in run.rows))
    if problem := _problem(run, labels):
        return BadRecord(*problem, run.key)
    numbers = {"1": 1, "2": 2} if set(labels) <= {"1", "2"} else {label: n for n, label in enumerate(labels, 1)}
    return checked(run.rows[0][0], run.key, [(numbers[speaker], text) for _, speaker, text in run.rows])


def _problem(run: _Run, labels: list[str]) -> tuple[int, str] | None:
    if run.broken:
        return run.broken.row, run.broken.reason
    for row, speaker, text in run.rows:
        if not speaker:
            return row, "speaker is empty"
        if not text:
            return row, "text is empty"
        if labels.index(speaker) > 1:
            return row, f"a third speaker, “{speaker[:40]}”; a dialogue has two"
    return None
