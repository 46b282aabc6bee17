"""Restructurings as lines of JSON: both texts and every operation. Pseudonyms only.

Rows are read in batches, in the order of their keys, so that memory use is constant and no cursor outlives its
transaction.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet

from annotation.models import Operation, Remark, Restructuring
from annotation.models.people import profile_of
from dialogues.fidelity import fidelity
from dialogues.models import Corpus, Dialogue
from dialogues.transcript import Transcript

ROWS_AT_ONCE = 100


class Pseudonyms(dict[int, str]):
    """People's pseudonyms, each looked up once."""

    def of(self, person: User | None) -> str | None:
        if person is None:
            return None
        if person.pk not in self:
            self[person.pk] = profile_of(person).pseudonym
        return self[person.pk]


def restructuring_lines(corpus: Corpus | None = None) -> Iterator[str]:
    """One line for each restructuring, ending with a line feed."""
    rows = Restructuring.objects.select_related(
        "annotator", "reviewer", "result", "original__corpus", "original__origin"
    ).filter(original__corpus__is_scratch=False)
    names = Pseudonyms()
    for page in _pages(rows.filter(original__corpus=corpus) if corpus else rows):
        keys = [row.pk for row in page]
        operations = _by_row(Operation.objects.filter(restructuring__in=keys).select_related("person"), "number")
        remarks = _by_row(Remark.objects.filter(restructuring__in=keys).select_related("author"), "pk")
        for row in page:
            line = _line(row, operations.get(row.pk, []), remarks.get(row.pk, []), names)
            yield json.dumps(line, ensure_ascii=False) + "\n"


def _line(row: Restructuring, operations: list[Operation], remarks: list[Remark], names: Pseudonyms) -> dict[str, Any]:
    original = row.original
    return {
        "corpus": original.corpus.name,
        "original": original.key,
        "version": original.version_id,
        "origin": original.origin.key if original.origin else original.key,
        "written_by": original.written_by,
        "demo": original.is_demo,
        "annotator": names.of(row.annotator),
        "state": row.state,
        "asked_at": _iso(row.created_at),
        "submitted_at": _iso(row.submitted_at),
        "instructions": row.instructions,
        "messages_before": original.messages,
        "messages_after": row.messages,
        "operations": [
            {"number": one.number, "by": names.of(one.person), "time": _iso(one.at), "operation": one.body}
            for one in operations
        ],
        "remarks": [
            {
                "message": one.place + 1,
                "after_operation": one.version,
                "quote": one.quote,
                "text": one.text,
                "by": names.of(one.author),
                "time": _iso(one.created_at),
                "settled": _iso(one.settled_at),
            }
            for one in remarks
        ],
        "review": {"by": names.of(row.reviewer), "time": _iso(row.reviewed_at), "words": row.review},
        "result": row.result.key if row.result else None,
        "figures": _figures(row),
    }


def _figures(row: Restructuring) -> dict[str, Any]:
    before, after = row.original.transcript, Transcript.of(row.messages)
    return {
        "before": _counts(before),
        "after": _counts(after),
        "kept": row.kept,
        "invented": fidelity(before, after).invented,
    }


def _counts(transcript: Transcript) -> dict[str, Any]:
    row = Dialogue.from_transcript(transcript)
    return {
        "messages": row.message_count,
        "turns": row.turn_count,
        "whitespace_tokens": row.whitespace_tokens,
        "words_per_message": row.words_per_message,
        "acmc": row.acmc,
    }


def _iso(when: datetime | None) -> str | None:
    return when.isoformat() if when else None


def _by_row(rows: QuerySet[Any], order: str) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for row in rows.order_by("restructuring_id", order):
        found.setdefault(row.restructuring_id, []).append(row)
    return found


def _pages(rows: QuerySet[Restructuring]) -> Iterator[Sequence[Restructuring]]:
    last = 0
    while page := list(rows.filter(pk__gt=last).order_by("pk")[:ROWS_AT_ONCE]):
        yield page
        last = page[-1].pk
