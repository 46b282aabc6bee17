"""Where an example came from, and whether its text was changed since."""

from dataclasses import dataclass

from dialogues.models import Dialogue
from generation.curation.content import FIELDS, Content
from generation.models import Example, ExampleSet, Run


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
