"""Export and import example sets as JSON documents."""

import json
from typing import Any

from django.db import transaction

from core.json_documents import DocumentError
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent, Dialogue
from generation.curation import document
from generation.curation.content import ContentError
from generation.curation.document import Document, Entry, Named
from generation.curation.editing import add_example
from generation.curation.provenance import content_of, with_provenance
from generation.curation.versions import make_set
from generation.models import Example, ExampleSet

MOST_MEGABYTES = 10
# The sources that an imported example may keep, if its dialogue exists here, too.
TAKEN_FROM_DIALOGUES = (Example.Source.CORPUS, Example.Source.RUN, Example.Source.RESTRUCTURING)


def exported(example_set: ExampleSet) -> str:
    """The set as a document: names instead of database ids, people only as the pseudonyms of operations."""
    entries = tuple(
        Entry(content_of(row), row.source, _named(row.dialogue), _named(row.dialogue_after), tuple(row.operations))
        for row in with_provenance(example_set)
    )
    made = Document(example_set.name, example_set.kind, example_set.note, entries)
    told = made.to_json(version=example_set.version, frozen=example_set.frozen_at is not None)
    return json.dumps(told, ensure_ascii=False, indent=1) + "\n"


@transaction.atomic
def import_set(*, data: bytes, by: Any, name: str = "", once: str = "") -> ExampleSet:
    """A new draft with everything the file holds, or nothing and DocumentError; `name` replaces the file's own."""
    if len(data) > MOST_MEGABYTES * 2**20:
        raise DocumentError([f"The file is larger than {MOST_MEGABYTES} MB, too large for a set of examples."])
    read = document.read(data)
    made = make_set(name=name or read.name, kind=read.kind, note=read.note, by=by, once=once)
    if made.examples.exists():
        # The first of two clicks made it.
        return made
    for number, entry in enumerate(read.entries, 1):
        dialogue, dialogue_after = _here(entry.dialogue), _here(entry.dialogue_after)
        known = dialogue is not None and entry.source in TAKEN_FROM_DIALOGUES
        try:
            add_example(
                example_set=made, by=by, source=entry.source if known else Example.Source.FILE,
                dialogue=dialogue, dialogue_after=dialogue_after, operations=entry.operations,
                **entry.content.as_fields(),
            )  # fmt: skip
        except ContentError as error:
            raise DocumentError([f"Example {number}: {error}."]) from error
    AuditEvent.record(by, AuditVerb.EXAMPLE_SET_IMPORTED, made, examples=len(read.entries))
    return made


def _named(dialogue: Dialogue | None) -> Named | None:
    return Named(dialogue.corpus.name, dialogue.key, dialogue.version_id) if dialogue else None


def _here(named: Named | None) -> Dialogue | None:
    """The dialogue with these names in this installation, or None."""
    if named is None:
        return None
    rows = Dialogue.objects.filter(corpus__name=named.corpus, corpus__is_scratch=False)
    return rows.filter(key=named.key, version=named.version).first()
