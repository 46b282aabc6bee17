"""A plain CSV with the columns dialogue_id, speaker and text: one message a row, dialogues one after another.

A file may name its columns otherwise (`columns`). The header shows whether commas, semicolons or tabs separate. Other
columns are ignored.

Speaker labels can be any, two in a dialogue. If the whole file has two, they are the same two people in every dialogue:
the first to speak in the file is speaker 1, unless the labels are 1 and 2. If it has more, the first to speak in each
dialogue is its speaker 1, and the tally counts these as `sides_by_who_speaks_first`.

A row that is not CSV has no dialogue_id, so it invalidates the dialogues before and after it: it may belong to either.
If the rows of a dialogue are not consecutive, the file is refused: it would import dialogues cut short or in pieces.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from operator import itemgetter

from dialogues.formats.reading import UnreadableFileError, csv_rows, missing_columns, quoted
from dialogues.formats.records import BadRecord, Record, RecordError, check_size, checked

COLUMNS = ("dialogue_id", "speaker", "text")
DELIMITERS = (",", ";", "\t")
_HOW = "Write dialogue_id=NAME,speaker=NAME,text=NAME with the names in the file's first row."
AS_CALLED: Mapping[str, str] = {}


@dataclass(slots=True)
class _Run:
    """Consecutive (speaker, text) of one dialogue, and what is wrong with its rows or their neighbours, if anything."""

    key: str
    number: int
    problem: BadRecord | None = None
    rows: list[tuple[str, str]] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    characters: int = 0

    def add(self, number: int, speaker: str, text: str) -> None:
        if self.problem:
            return
        if speaker not in self.labels:
            self.labels.append(speaker)
        self.rows.append((speaker, text))
        self.characters += len(text)
        try:
            self._check(speaker, text)
        except RecordError as error:
            self.problem = BadRecord(number, str(error), self.key)

    def _check(self, speaker: str, text: str) -> None:
        if not speaker:
            raise RecordError("speaker is empty")
        if not text:
            raise RecordError("text is empty")
        if len(self.labels) > 2:
            raise RecordError(f"a third speaker, “{quoted(speaker)}”; a dialogue has two")
        check_size(len(self.rows), self.characters)


def columns_from(text: str) -> dict[str, str]:
    """Read `dialogue_id=conv_id,speaker=who` as the file's names of columns; raises ValueError with a sentence."""
    columns = {}
    for part in filter(None, map(str.strip, text.split(","))):
        name, given, called = (piece.strip() for piece in part.partition("="))
        if name not in COLUMNS or not given or not called:
            raise ValueError(f"“{quoted(part)}” does not say which column is dialogue_id, speaker or text. {_HOW}")
        if name in columns:
            raise ValueError(f"{name} is named twice. {_HOW}")
        columns[name] = called
    return columns


def delimiter_of(header: str, wanted: Iterable[str] = COLUMNS) -> str | None:
    """Which delimiter makes this line a header with the wanted columns, or None."""
    for delimiter in DELIMITERS:
        names = {name.strip().strip('"').lower() for name in header.rstrip("\r\n").split(delimiter)}
        if set(wanted) <= names:
            return delimiter
    return None


def looks_like_csv(lines: Sequence[str]) -> bool:
    """Whether the first lines are a header of at least two names and a row of as many cells."""
    cells = [row for _, row in csv_rows(lines[:2], _likeliest(lines[0])) if not isinstance(row, str)]
    return len(cells) == 2 and len(cells[0]) == len(cells[1]) >= 2 and all(map(str.strip, cells[0]))


def parse(lines: Iterable[str], columns: Mapping[str, str] = AS_CALLED) -> Iterator[Record | BadRecord]:
    """One record for each run of rows with the same dialogue_id. `lines` are read twice: only the end shows how many
    speakers the file has.

    Raises UnreadableFileError without a header, or if rows of a dialogue are not consecutive.
    """
    wanted = [columns.get(name, name).strip().lower() for name in COLUMNS]
    sides = _sides(cells[1].strip() for _, cells in _rows(lines, wanted) if not isinstance(cells, str))
    seen: set[str] = set()
    for run in _runs(_rows(lines, wanted)):
        if run.key in seen:
            raise UnreadableFileError(
                f"Rows of the dialogue “{quoted(run.key)}” stand apart: row {run.number} follows another one. "
                f"Sort the file by {wanted[0]}, each dialogue in the order in which it was spoken."
            )
        if run.key:
            seen.add(run.key)
        yield run.problem or _record(run, sides)


def _likeliest(header: str) -> str:
    return max(DELIMITERS, key=header.count)


def _rows(lines: Iterable[str], wanted: Sequence[str]) -> Iterator[tuple[int, Sequence[str] | str]]:
    """(row, its three cells), or (row, what is wrong with it)."""
    lines = iter(lines)
    first = next(lines, "")
    rows = csv_rows(chain([first], lines), delimiter_of(first, wanted) or _likeliest(first))
    _, header = next(rows, (1, []))
    names = [] if isinstance(header, str) else [name.strip().lower() for name in header]
    if not set(wanted) <= set(names):
        raise UnreadableFileError(
            f"{missing_columns(wanted, header)} Say which columns these are: under "
            f"Columns on the import page, or by --columns {','.join(f'{name}=…' for name in COLUMNS)}."
        )
    chosen = itemgetter(*(names.index(name) for name in wanted))
    width = len(names)
    for number, cells in rows:
        if isinstance(cells, str):
            yield number, cells
        elif len(cells) == width:
            yield number, chosen(cells)
        elif cells:
            yield number, f"{len(cells)} cells where the header has {width}"


def _sides(labels: Iterable[str]) -> Mapping[str, int] | None:
    """The speaker of each label of the file, or None if there are more than two labels."""
    found: dict[str, int] = {}
    for label in filter(None, labels):
        found.setdefault(label, len(found) + 1)
        if len(found) > 2:
            return None
    return {"1": 1, "2": 2} if found.keys() <= {"1", "2"} else found


def _runs(rows: Iterable[tuple[int, Sequence[str] | str]]) -> Iterator[_Run]:
    run: _Run | None = None
    just_before: BadRecord | None = None
    for number, cells in rows:
        if isinstance(cells, str):
            just_before = BadRecord(number, cells)
            if run:
                run.problem = run.problem or _in(run.key, just_before)
            continue
        key, speaker, text = map(str.strip, cells)
        if run is None or key != run.key:
            if run:
                yield run
            run = _Run(key, number, just_before and _in(key, just_before))
        just_before = None
        run.add(number, speaker, text)
    if run:
        yield run
    elif just_before:
        yield _Run("", just_before.row, just_before)


def _in(key: str, broken: BadRecord) -> BadRecord:
    return BadRecord(broken.row, broken.reason, key)


def _record(run: _Run, sides: Mapping[str, int] | None) -> Record | BadRecord:
    by_order = {label: number for number, label in enumerate(run.labels, 1)}
    pairs = [((sides or by_order)[speaker], text) for speaker, text in run.rows]
    tally = {} if sides else {"sides_by_who_speaks_first": 1}
    return checked(run.number, run.key, pairs, tally=tally)
