"""Read small files as the import does, from what they hold."""

import io
import json
from typing import Any

from dialogues.formats.reading import FileLines
from dialogues.formats.records import AS_IT_COMES, BadRecord, Choices, Record
from dialogues.formats.registry import AUTO, recognised


def in_memory(content: str | bytes) -> FileLines:
    return FileLines(io.BytesIO(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")))


def read(
    content: object, *, form: str = "", choices: Choices = AS_IT_COMES, named: str = AUTO
) -> list[Record | BadRecord]:
    """The records of a file with this text, or of the JSON of this value; `form` is the one that must be told."""
    file = in_memory(content if isinstance(content, (str, bytes)) else json.dumps(content))
    found = recognised(file, named, choices)
    assert not form or found.form.name == form, found
    return list(found.form.parse(file, choices))


def good(content: object, **how: Any) -> list[Record]:
    records = read(content, **how)
    assert all(isinstance(record, Record) for record in records), records
    return [record for record in records if isinstance(record, Record)]


def one(content: object, **how: Any) -> Record:
    (record,) = good(content, **how)
    return record


def bad(content: object, **how: Any) -> BadRecord:
    (record,) = read(content, **how)
    assert isinstance(record, BadRecord), record
    return record


def messages(record: Record) -> list[list[int | str]]:
    return record.transcript.to_json()


def parquet(rows: list[dict[str, Any]], **how: Any) -> bytes:
    from pyarrow import Table
    from pyarrow import parquet as pq

    out = io.BytesIO()
    pq.write_table(Table.from_pylist(rows), out, **how)
    return out.getvalue()
