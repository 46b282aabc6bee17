"""Dialogues that could become examples: of a corpus, or written by a run."""

from django.db.models import Exists, OuterRef, QuerySet

from dialogues.models import Corpus, Dialogue
from generation.models import Example, ExampleKind, ExampleSet, Run

# What a run writes for each kind; a pair begins with γ.
WRITTEN_FOR = {
    ExampleKind.SINGLE_STEP: "beta",
    ExampleKind.STEP_BY_STEP: "gamma",
    ExampleKind.FURTHER_SPLIT: "gamma",
}


def corpora_and_runs() -> tuple[QuerySet[Corpus], QuerySet[Run]]:
    """Where to look for dialogues: not in what trials wrote, nor in judge runs."""
    runs = Run.objects.filter(corpus__is_scratch=False, calls__outputs__isnull=False).distinct()
    return Corpus.objects.listed(), runs


def candidates(
    example_set: ExampleSet,
    *,
    corpus: Corpus | None = None,
    run: Run | None = None,
    version: str = "",
    search: str = "",
) -> QuerySet[Dialogue]:
    """Dialogues of the corpus or of the run that fit the set's kind; a pair needs one that was rewritten."""
    kind = ExampleKind(example_set.kind)
    rows = Dialogue.objects.filter(corpus__is_scratch=False).searched(search)
    if run is not None:
        rows = rows.filter(output__call__run=run)
        version = version or WRITTEN_FOR[kind]
    if corpus is not None:
        rows = rows.filter(corpus=corpus)
    if version:
        rows = rows.of_version(version)
    if kind == ExampleKind.FURTHER_SPLIT:
        rows = rows.filter(Exists(Dialogue.objects.filter(parent=OuterRef("pk"))))
    there = Example.objects.filter(example_set=example_set, dialogue=OuterRef("pk"))
    return rows.annotate(is_there=Exists(there)).select_related("version", "corpus").order_by("pk")


def rewrites_of(dialogue: Dialogue) -> list[Dialogue]:
    """Dialogues made directly from it with another text: Stephanie, restructured, …"""
    rows = dialogue.rewrites.select_related("version").order_by("version__position", "-pk")
    return [row for row in rows if row.messages != dialogue.messages]


def source_of(dialogue: Dialogue) -> Example.Source:
    """Whether a run wrote it."""
    return Example.Source.RUN if hasattr(dialogue, "output") else Example.Source.CORPUS
