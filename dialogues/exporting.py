"""Write a corpus as lines of JSONL, which `importing` reads back to the same dialogues."""

from collections.abc import Iterator
from dataclasses import replace

from core.streaming import in_pages
from dialogues.formats import jsonl
from dialogues.formats.records import Record
from dialogues.models import Corpus, Dialogue, DialogueQuerySet
from dialogues.sources import ANY, Sources
from dialogues.transcript import Transcript


def jsonl_lines(corpus: Corpus, sources: Sources = ANY) -> Iterator[str]:
    """One line a dialogue, each ended by a line feed, in the order of creation, so that sources come first."""
    chosen = sources.narrow(corpus.dialogues.all())
    rows = chosen.select_related("origin", "parent")
    # A dialogue written from another run's γ loses its parent: that γ is not in the file.
    absent = _absent_parents(chosen) if sources else set()
    for row in in_pages(rows):
        record = record_of(row)
        yield jsonl.dump(replace(record, parent="") if row.parent_id in absent else record) + "\n"


def _absent_parents(chosen: DialogueQuerySet) -> set[int | None]:
    parents = chosen.filter(parent__isnull=False).exclude(parent__in=chosen.order_by().values("pk"))
    return set(parents.values_list("parent_id", flat=True))


def record_of(row: Dialogue) -> Record:
    return Record(
        row=0,
        key=row.key,
        transcript=Transcript.of(row.messages),
        traits_1=tuple(row.traits_1),
        traits_2=tuple(row.traits_2),
        theme=row.theme,
        version=row.version_id,
        origin=row.origin.key if row.origin else "",
        parent=row.parent.key if row.parent else "",
        written_by=row.written_by,
        is_demo=row.is_demo,
        times=tuple(row.times),
    )
