"""Import a file as a corpus: all of it, or nothing."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

from django.db import IntegrityError, transaction
from django.utils import timezone

from core.database import bulk
from dialogues import privacy
from dialogues.audit import AuditVerb
from dialogues.formats.column_choices import ColumnChoices, column_choices
from dialogues.formats.reading import FileLines, UnreadableFileError, quoted
from dialogues.formats.records import (
    AS_IT_COMES,
    BadRecord,
    Choices,
    Parsed,
    Record,
    RecordError,
    Twin,
    check_lengths,
)
from dialogues.formats.registry import AUTO, Format, Recognised, recognised
from dialogues.formats.twins import without_twins
from dialogues.import_report import Report
from dialogues.models import AuditEvent, Corpus, Dialogue, PersonalData, Version

# A batch ends at whichever comes first: so many rows, or so many characters of messages.
BATCH = 1000
BATCH_CHARACTERS = 4_000_000
FILE_NAME_LENGTH = 255
# A live import commits a batch every few seconds, unless the strict one reads on behind a bad record.
ABANDONED_AFTER = timedelta(hours=1)

Progress = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class Source:
    """A file on disk, its name as the user knows it, and its form (or `auto`).

    `choices` say how to read what the form leaves open; a known `sha256` saves reading the file.
    """

    path: Path
    file_name: str
    file_format: str = AUTO
    choices: Choices = AS_IT_COMES
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Options:
    skip_bad: bool = False
    deduplicate: bool = False
    description: str = ""
    licence: str = ""
    source: str = ""
    # What the corpus says about personal data; a form of private chats says yes unless told otherwise.
    personal_data: str = ""
    consent: str = ""
    # Whether the corpus keeps the names of people in private chats, who are A and B otherwise.
    keep_names: bool = False
    # The kinds of personal data (`dialogues.privacy`) that are masked in every text.
    mask: tuple[str, ...] = ()


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
    """Make the corpus `name` from a file; `progress` is told the bytes read so far. Raises ImportRefusedError.

    Batches are committed one by one, so that other people's writes need not wait for a long file. Until the last one is
    in, the corpus is hidden; if anything goes wrong, or `progress` raises an exception, it is removed.
    """
    sha256 = source.sha256 or digest(source.path)
    _refuse_what_is_there(name := name.strip(), sha256)
    _refuse_long(options)
    with source.path.open("rb") as stream:
        found = _recognised(source, stream)
        form = found.form
        corpus = _hidden(source, form, name=name, sha256=sha256, by=by, options=options)
        try:
            report = _store(corpus, _parsed(form, source, stream, options), options, _teller(stream, progress))
            report.seen = found.seen
            keeps_names = (options.keep_names or not form.is_private) and privacy.NAME not in options.mask
            _show(corpus, report, source, sha256, by=by, keep_names=keeps_names)
        except BaseException:
            remove(corpus)
            raise
    return Imported(corpus, report)


def _hidden(source: Source, form: Format, *, name: str, sha256: str, by: Any, options: Options) -> Corpus:
    try:
        with transaction.atomic():
            return Corpus.objects.create(
                name=name,
                description=options.description,
                licence=options.licence,
                source=options.source,
                personal_data=options.personal_data or (PersonalData.YES if form.is_private else ""),
                consent=options.consent,
                file_format=form.name,
                # A file name on disk may hold bytes that are not UTF-8, which no database stores.
                file_name=source.file_name.encode(errors="replace").decode()[:FILE_NAME_LENGTH],
                is_scratch=True,
                filled_at=timezone.now(),
                created_by=by,
            )
    except IntegrityError:
        # Somebody took the name since we looked.
        _refuse_what_is_there(name, sha256)
        raise


def _show(corpus: Corpus, report: Report, source: Source, sha256: str, *, by: Any, keep_names: bool) -> None:
    """Let everybody see the whole corpus; raises ImportRefusedError if the same file was imported meanwhile."""
    corpus.is_scratch, corpus.filled_at, corpus.sha256 = False, None, sha256
    corpus.reading, corpus.roles = report.reading(), report.role_map if keep_names else {}
    columns = source.choices.columns
    renamed = {"columns": dict(columns)} if columns else {}
    try:
        with transaction.atomic():
            corpus.save(update_fields=["is_scratch", "filled_at", "sha256", "reading", "roles"])
            AuditEvent.record(
                by, AuditVerb.CORPUS_IMPORTED, corpus, name=corpus.name, sha256=sha256, **renamed, **report.counts()
            )
    except IntegrityError:
        refuse_known_file(sha256)
        raise


def remove(corpus: Corpus) -> None:
    """Delete a corpus that was never shown; nothing can depend on its dialogues."""
    with transaction.atomic():
        rows = Dialogue.objects.filter(corpus=corpus)
        rows.update(origin=None, parent=None)
        rows._raw_delete(rows.db)
        Corpus.objects.filter(pk=corpus.pk).delete()


def remove_abandoned(now: datetime) -> int:
    """Delete what imports left behind that were killed, or whose database went away; returns how many there were."""
    left = Corpus.objects.filter(filled_at__lt=now - ABANDONED_AFTER)
    for corpus in left:
        remove(corpus)
    return len(left)


@dataclass(frozen=True, slots=True)
class Look:
    """What a file holds: the report of reading all of it, the first good records, and the columns if it has any."""

    report: Report
    first: list[Record]
    columns: ColumnChoices | None


def preview(
    source: Source, options: Options = Options(), *, shown: int = 3, tell: Callable[[Record], object] | None = None
) -> Look:
    """Read the whole file without storing it; `tell` is given every good record. Raises ImportRefusedError."""
    report, first = Report(), list[Record]()
    with source.path.open("rb") as stream:
        found = _recognised(source, stream)
        report.file_format, report.seen = found.form.name, found.seen
        columns = column_choices(FileLines(stream))
        for record in _good_records(_parsed(found.form, source, stream, options), report):
            report.add(record)
            if tell:
                tell(record)
            if len(first) < shown:
                first.append(record)
    if not (report.dialogues or report.refused):
        raise ImportRefusedError("The file holds no dialogue.", report)
    return Look(report, first, columns)


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
    limit = _limit("name")
    if not name or len(name) > limit or not name.isprintable():
        raise ImportRefusedError(f"The corpus needs a name of 1 to {limit} printable characters.")
    taken = Corpus.objects.filter(name=name).first()
    if taken:
        state = "is being imported" if taken.filled_at else "exists"
        raise ImportRefusedError(
            f"A corpus named “{name}” {state}, and an import never adds to one. Choose another name.", corpus=taken
        )


def _limit(name: str) -> int:
    column: Any = Corpus._meta.get_field(name)
    return int(column.max_length)


def _refuse_long(options: Options) -> None:
    for name in ("licence", "source", "consent"):
        limit = _limit(name)
        if len(getattr(options, name)) > limit:
            raise ImportRefusedError(
                f"The {name} is longer than {limit} characters; put its text into the description."
            )


def _recognised(source: Source, stream: BinaryIO) -> Recognised:
    try:
        return recognised(FileLines(stream), source.file_format, source.choices)
    except UnreadableFileError as error:
        raise ImportRefusedError(str(error)) from error


def _parsed(form: Format, source: Source, stream: BinaryIO, options: Options) -> Iterator[Parsed]:
    """The file's records; raises ImportRefusedError if the file cannot be read at all."""
    try:
        parsed = form.parse(FileLines(stream), source.choices)
        records: Iterable[Parsed] = without_twins(parsed) if options.deduplicate else parsed
        yield from (_masked(item, options.mask) for item in records) if options.mask else records
    except UnreadableFileError as error:
        raise ImportRefusedError(str(error)) from error


def _masked(item: Parsed, kinds: tuple[str, ...]) -> Parsed:
    """A record with what was masked in its tally, by kind; anything else as it is. Masks may make it too long."""
    if not isinstance(item, Record):
        return item
    finder = privacy.Finder()
    finder.add(item)
    counted = {f"{kind}_masked": count for kind, count in finder.counts.items() if kind in kinds}
    masked = replace(privacy.masked(item, kinds), tally={**item.tally, **counted})
    try:
        check_lengths(masked)
    except RecordError as error:
        return BadRecord(item.row, f"with its masks, {error}", item.key)
    return masked


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
            with transaction.atomic():
                _insert(corpus, batch)
                Corpus.objects.filter(pk=corpus.pk).update(filled_at=timezone.now())
        tell()
    if report.refused and not options.skip_bad:
        raise ImportRefusedError(_bad_sentence(report), report.of_nothing())
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


def _bad_sentence(report: Report) -> str:
    number = "One record is bad" if report.refused == 1 else f"{report.refused:,} records are bad"
    return f"{number}, so nothing was imported. {report.advice()}"


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
        times=list(record.times),
    )


def _teller(stream: BinaryIO, progress: Progress | None) -> Callable[[], object]:
    return (lambda: progress(stream.tell())) if progress else (lambda: None)
