"""Import a file as a corpus: all of it in one transaction, or nothing."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from django.db import IntegrityError, transaction

from core.database import bulk
from dialogues.audit import AuditVerb
from dialogues.formats.reading import FileLines, UnreadableFileError, head_of, quoted
from dialogues.formats.records import BadRecord, Parsed, Record, Twin
from dialogues.formats.registry import AUTO, Format, form_of
from dialogues.formats.twins import without_twins
from dialogues.models import AuditEvent, Corpus, Dialogue, Version

# A batch ends at whichever comes first: so many rows, or so many characters of messages.
BATCH = 1000
BATCH_CHARACTERS = 4_000_000
BAD_SHOWN = 100
TALLY_SHOWN = 40
FILE_NAME_LENGTH = 255

Progress = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class Source:
    """A file on disk, its name as the user knows it, and its form (or `auto`).

    `columns` gives a plain CSV's names for dialogue_id, speaker and text; a known `sha256` saves reading the file.
    """

    path: Path
    file_name: str
    file_format: str = AUTO
    columns: Mapping[str, str] = field(default_factory=dict)
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Options:
    skip_bad: bool = False
    deduplicate: bool = False
    description: str = ""
    licence: str = ""


@dataclass(slots=True)
class Report:
    """What was read: counts of good records, and bad records up to `BAD_SHOWN`."""

    file_format: str = ""
    dialogues: int = 0
    messages: int = 0
    turns: int = 0
    traits_1: int = 0
    traits_2: int = 0
    refused: int = 0
    duplicates: int = 0
    versions: Counter[str] = field(default_factory=Counter)
    tally: Counter[str] = field(default_factory=Counter)
    bad: list[BadRecord] = field(default_factory=list)

    def add(self, record: Record) -> None:
        self.dialogues += 1
        self.messages += len(record.transcript)
        self.turns += record.transcript.turn_count()
        self.traits_1 += len(record.traits_1)
        self.traits_2 += len(record.traits_2)
        self.versions[record.version] += 1
        for name, count in record.tally.items():
            if name in self.tally or len(self.tally) < TALLY_SHOWN:
                self.tally[name] += count

    def refuse(self, bad: BadRecord) -> None:
        self.refused += 1
        if len(self.bad) < BAD_SHOWN:
            self.bad.append(bad)

    def of_nothing(self) -> "Report":
        """The same for an import that stored nothing: zero counts, and what was wrong."""
        return Report(self.file_format, refused=self.refused, bad=self.bad)

    def counts(self) -> dict[str, Any]:
        """Numbers for the audit row, the command's JSON and the pages."""
        names = ("dialogues", "messages", "turns", "traits_1", "traits_2", "refused", "duplicates")
        return {name: getattr(self, name) for name in names} | {
            "versions": dict(self.versions),
            "lines": dict(self.tally),
        }


class ImportRefusedError(Exception):
    """Nothing was imported: the text says why, `report` holds the bad records, `corpus` the one in conflict."""

    def __init__(self, reason: str, report: Report | None = None, corpus: Corpus | None = None) -> None:
        super().__init__(reason)
        self.report = report or Report()
        self.corpus = corpus


@dataclass(frozen=True, slots=True)
class Imported:
    corpus: Corpus
    report: Report


def import_file(
    source: Source, *, name: str, by: Any, options: Options = Options(), progress: Progress | None = None
) -> Imported:
    """Make the corpus `name` from a file; `progress` is told the bytes read so far. Raises ImportRefusedError."""
    sha256 = source.sha256 or digest(source.path)
    _refuse_what_is_there(name := name.strip(), sha256)
    _refuse_long_licence(options.licence)
    try:
        return _import(source, sha256, name=name, by=by, options=options, progress=progress)
    except IntegrityError:
        # Somebody imported the same file or took the name since we looked.
        _refuse_what_is_there(name, sha256)
        raise


def _import(
    source: Source, sha256: str, *, name: str, by: Any, options: Options, progress: Progress | None
) -> Imported:
    with source.path.open("rb") as stream, transaction.atomic():
        form = _form(source, stream)
        corpus = Corpus.objects.create(
            name=name,
            description=options.description,
            licence=options.licence,
            file_format=form.name,
            # A file name on disk may hold bytes that are not UTF-8, which no database stores.
            file_name=source.file_name.encode(errors="replace").decode()[:FILE_NAME_LENGTH],
            sha256=sha256,
            created_by=by,
        )
        report = _store(corpus, _parsed(form, stream, options), options, _teller(stream, progress))
        renamed = {"columns": dict(source.columns)} if source.columns else {}
        AuditEvent.record(by, AuditVerb.CORPUS_IMPORTED, corpus, name=name, sha256=sha256, **renamed, **report.counts())
    return Imported(corpus, report)


def preview(source: Source, *, deduplicate: bool = False, shown: int = 3) -> tuple[Report, list[Record]]:
    """Read the whole file without storing it: its report and the first good records. Raises ImportRefusedError."""
    report, first = Report(), list[Record]()
    with source.path.open("rb") as stream:
        form = _form(source, stream)
        report.file_format = form.name
        for record in _good_records(_parsed(form, stream, Options(deduplicate=deduplicate)), report):
            report.add(record)
            if len(first) < shown:
                first.append(record)
    if not (report.dialogues or report.refused):
        raise ImportRefusedError("The file holds no dialogue.", report)
    return report, first


def digest(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def refuse_known_file(sha256: str) -> None:
    known = Corpus.objects.filter(sha256=sha256).first()
    if known:
        raise ImportRefusedError(f"This file is already here, as the corpus “{known.name}”.", corpus=known)


def _refuse_what_is_there(name: str, sha256: str) -> None:
    refuse_known_file(sha256)
    limit = Corpus._meta.get_field("name").max_length or 0
    if not name or len(name) > limit or not name.isprintable():
        raise ImportRefusedError(f"The corpus needs a name of 1 to {limit} printable characters.")
    taken = Corpus.objects.filter(name=name).first()
    if taken:
        raise ImportRefusedError(
            f"A corpus named “{name}” exists, and an import never adds to one. Choose another name.", corpus=taken
        )


def _refuse_long_licence(licence: str) -> None:
    limit = Corpus._meta.get_field("licence").max_length or 0
    if len(licence) > limit:
        raise ImportRefusedError(f"The licence is longer than {limit} characters; put its text into the description.")


def _form(source: Source, stream: BinaryIO) -> Format:
    try:
        return form_of(head_of(stream), source.file_format, source.columns)
    except UnreadableFileError as error:
        raise ImportRefusedError(str(error)) from error


def _parsed(form: Format, stream: BinaryIO, options: Options) -> Iterator[Parsed]:
    """The file's records; raises ImportRefusedError if the file cannot be read at all."""
    records = form.parse(FileLines(stream))
    try:
        yield from without_twins(records) if options.deduplicate else records
    except UnreadableFileError as error:
        raise ImportRefusedError(str(error)) from error


def _good_records(parsed: Iterator[Parsed], report: Report) -> Iterator[Record]:
    """Records that can be stored together; the others go into the report with their reason."""
    versions = set(Version.objects.values_list("slug", flat=True))
    # Each id seen, and whether it is an original.
    seen: dict[str, bool] = {}
    for item in parsed:
        if isinstance(item, Twin):
            report.duplicates += 1
            continue
        reason = None if isinstance(item, BadRecord) else _misfit(item, seen, versions)
        if isinstance(item, BadRecord):
            report.refuse(item)
        elif reason:
            report.refuse(BadRecord(item.row, reason, item.key))
        else:
            seen[item.key] = not item.origin
            yield item


def _misfit(record: Record, seen: dict[str, bool], versions: set[str]) -> str | None:
    """Why a valid record conflicts with those before it, or None."""
    if record.key in seen:
        return f"the id “{quoted(record.key)}” was there before; ids are unique"
    if record.version not in versions:
        return f"unknown version “{quoted(record.version)}”; known are {', '.join(sorted(versions))}"
    for name in ("origin", "parent"):
        key = getattr(record, name)
        if key and key not in seen:
            return f"its {name} “{quoted(key)}” is not a dialogue earlier in the file"
    if record.origin and not seen[record.origin]:
        return f"its origin “{quoted(record.origin)}” has an origin itself; name the original"
    if record.parent and not record.origin:
        return "it has a parent but no origin; name the original that both belong to"
    return None


def _store(corpus: Corpus, parsed: Iterator[Parsed], options: Options, tell: Callable[[], object]) -> Report:
    """Insert batch by batch; a strict import stops inserting at the first bad record, but reads on to report all."""
    report = Report(corpus.file_format)
    records = _good_records(parsed, report)
    for batch in _batches(records):
        for record in batch:
            report.add(record)
        if options.skip_bad or not report.refused:
            _insert(corpus, batch)
        tell()
    if report.refused and not options.skip_bad:
        raise ImportRefusedError(_bad_sentence(report.refused), report.of_nothing())
    if not report.dialogues:
        raise ImportRefusedError("The file holds no dialogue that could be imported.", report.of_nothing())
    return report


def _batches(records: Iterable[Record]) -> Iterator[list[Record]]:
    batch, characters = list[Record](), 0
    for record in records:
        batch.append(record)
        characters += sum(len(text) for _, text in record.transcript)
        if len(batch) >= BATCH or characters >= BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def _bad_sentence(count: int) -> str:
    number = "One record is bad" if count == 1 else f"{count:,} records are bad"
    return f"{number}, so nothing was imported. Mend the file, or skip bad records."


def _insert(corpus: Corpus, batch: list[Record]) -> None:
    """Insert the rows in the file's order; then link them to their origins, once every row has its key."""
    bulk.insert([_row(corpus, record) for record in batch])
    linked = {record.key: record for record in batch if record.origin}
    if not linked:
        return
    named = {key for record in linked.values() for key in (record.key, record.origin, record.parent)}
    rows = {row.key: row for row in corpus.dialogues.filter(key__in=named).only("key", "origin", "parent")}
    for key, record in linked.items():
        rows[key].origin = rows[record.origin]
        rows[key].parent = rows.get(record.parent)
    Dialogue.objects.bulk_update([rows[key] for key in linked], ["origin", "parent"], batch_size=250)


def _row(corpus: Corpus, record: Record) -> Dialogue:
    return Dialogue.from_transcript(
        record.transcript,
        corpus_id=corpus.pk,
        key=record.key,
        version_id=record.version,
        traits_1=list(record.traits_1),
        traits_2=list(record.traits_2),
        theme=record.theme,
        written_by=record.written_by,
        is_demo=record.is_demo,
    )


def _teller(stream: BinaryIO, progress: Progress | None) -> Callable[[], object]:
    return (lambda: progress(stream.tell())) if progress else (lambda: None)
