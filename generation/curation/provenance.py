"""Where examples come from: dialogues that could become one, and an example's own source."""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet

from dialogues.models import Corpus, Dialogue
from generation.curation.content import FIELDS, Content
from generation.models import Example, ExampleKind, ExampleSet, Run

# What a run writes for each kind; a pair begins with γ.
WRITTEN_FOR = {
    ExampleKind.SINGLE_STEP: "beta",
    ExampleKind.STEP_BY_STEP: "gamma",
    ExampleKind.FURTHER_SPLIT: "gamma",
}


@dataclass(frozen=True, slots=True)
class Provenance:
    """The words for its source, the dialogues it was taken from, the run that wrote the first of them.

    `edited` is derived by comparing texts, so that it can never be out of step with them.
    """

    words: str
    dialogues: tuple[Dialogue, ...]
    run: Run | None
    edited: bool
    operations: int


def content_of(example: Example) -> Content:
    """The stored example as a value; raises ContentError if the row was changed past the application and is broken."""
    fields = {name: getattr(example, name) for name in FIELDS}
    return Content.of(example.example_set.kind, **fields)


def privacy_notices(example_set: ExampleSet) -> list[str]:
    """What whoever exports the set must know of the corpora that its examples were taken from."""
    taken = Corpus.objects.personal().holding(example_set.examples.filter(dialogue__isnull=False).values("dialogue"))
    return [corpus.privacy_notice for corpus in taken]


def with_provenance(example_set: ExampleSet) -> list[Example]:
    """The set's examples with all that `provenance_of` looks at, in one query."""
    links = [f"{name}__{more}" for name in ("dialogue", "dialogue_after") for more in ("corpus", "version")]
    rows = example_set.examples.select_related(*links, "dialogue__output__call__run")
    for row in rows:
        row.example_set = example_set
    return list(rows)


def provenance_of(example: Example) -> Provenance:
    source, rewrite = example.dialogue, example.dialogue_after
    edited = (source is not None and source.messages != example.messages) or (
        rewrite is not None and rewrite.messages != example.messages_after
    )
    output = getattr(source, "output", None)
    return Provenance(
        example.get_source_display(),
        tuple(filter(None, (source, rewrite))),
        output.call.run if output and example.source == Example.Source.RUN else None,
        edited,
        len(example.operations),
    )


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
