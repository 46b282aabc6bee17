"""Agreement on message boundaries, over all dialogues that two or more people restructured."""

from dataclasses import dataclass
from itertools import groupby

import numpy as np
from django.db.models import Exists, OuterRef, QuerySet

from annotation.models import Restructuring
from annotation.restructuring.beside import DEFINITIONS, DONE, MEASURES, Rewrite, means, pair_values
from core import results
from core.fingerprint import fingerprint
from core.intervals import mean_of
from core.tables import Cell, Column, Table
from dialogues.models import Corpus
from dialogues.transcript import Transcript

# Increase when a figure is computed differently, so that no outdated result is shown.
EDITION = 2
BETTER = {"Pk": "lower", "WindowDiff": "lower", "B": "higher"}
INTERVAL_NOTE = (
    "First the mean over the pairs of people of each dialogue, then over dialogues. In brackets: 95 % interval with "
    "the dialogue as the observation (Student’s t), cut off at 0 and 1; n counts dialogues."
)
DEMO_NOTE = "Some of these dialogues were written by demo rules, not by a language model."


@dataclass(frozen=True, slots=True)
class Shared:
    """One dialogue that several people restructured, with its means over their pairs."""

    original: int
    key: str
    people: int
    is_demo: bool
    values: dict[str, float | None]


def shared_dialogues(corpus: Corpus | None = None) -> list[Shared]:
    """Dialogues restructured by several people, with their agreement; kept until one of the texts changes."""
    rows = _shared_rows(corpus)
    texts = rows.order_by("pk").values_list("pk", "created_at", "version", "changed_at")
    return results.once(
        lambda: f"boundary-agreement:{EDITION}:{fingerprint({'texts': list(texts.all())})}", lambda: _measured(rows)
    )


def agreement_table(shared: list[Shared]) -> Table:
    pairs = sum(one.people * (one.people - 1) // 2 for one in shared)
    rows: list[tuple[Cell, ...]] = []
    for name in MEASURES:
        given = np.array([value for one in shared if (value := one.values[name]) is not None], np.float64)
        mean = mean_of(given)
        rows.append((name, mean and mean.within(0, 1), BETTER[name]))
    demo = (DEMO_NOTE,) if any(one.is_demo for one in shared) else ()
    return Table(
        "boundary-agreement",
        f"Agreement on where messages end (dialogues: {len(shared):,}, pairs of people: {pairs:,}).",
        (Column("Measure", numeric=False), Column("Mean", 3), Column("Better is", numeric=False)),
        tuple(rows),
        (INTERVAL_NOTE, *demo, *DEFINITIONS),
    )


def _shared_rows(corpus: Corpus | None) -> QuerySet[Restructuring]:
    done = Restructuring.objects.filter(state__in=DONE)
    other = done.filter(original=OuterRef("original")).exclude(pk=OuterRef("pk"))
    rows = done.filter(Exists(other), original__corpus__is_scratch=False)
    return rows.filter(original__corpus=corpus) if corpus else rows


def _measured(rows: QuerySet[Restructuring]) -> list[Shared]:
    found = []
    streamed = rows.select_related("original", "annotator").order_by("original_id", "pk").iterator(chunk_size=500)
    for _, group in groupby(streamed, key=lambda row: row.original_id):
        of = list(group)
        original = of[0].original
        transcript = Transcript.of(original.messages)
        rewrites = [Rewrite(row, str(number), transcript) for number, row in enumerate(of, 1)]
        values = means([given for _, _, given in pair_values(rewrites)])
        found.append(Shared(original.pk, original.key, len(of), original.is_demo, values))
    return found
