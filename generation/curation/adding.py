"""The one door through which an example comes into a set."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Max

from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent, Dialogue
from generation.curation.content import FIELDS, MOST_EXAMPLES, Content, ContentError, TwinError
from generation.curation.drafts import locked_draft
from generation.curation.provenance import content_of
from generation.models import Example, ExampleSet


@transaction.atomic
def add_example(  # noqa: PLR0913 - the columns of one row, each by its name
    *,
    example_set: ExampleSet,
    by: Any,
    messages: Iterable[Sequence[Any]],
    messages_after: Iterable[Sequence[Any]] | None = None,
    topic: str = "",
    theme: str = "",
    traits_1: Iterable[str] = (),
    traits_2: Iterable[str] = (),
    note: str = "",
    source: str,
    dialogue: Dialogue | None = None,
    dialogue_after: Dialogue | None = None,
    operations: Iterable[Any] = (),
) -> Example:
    """Put it at the end of a draft and record who did; `by=None` is the command line.

    Raises FrozenError where a run has used the set meanwhile, and ContentError where the set cannot hold the
    example: a broken text, a pair without its second half, or a dialogue that is in it already.
    """
    draft = locked_draft(example_set)
    content = Content.of(
        draft.kind, messages=messages, messages_after=messages_after, topic=topic, theme=theme,
        traits_1=traits_1, traits_2=traits_2, note=note,
    )  # fmt: skip
    refuse_twins(draft, content, dialogue)
    last = draft.examples.aggregate(last=Max("position", default=0))["last"]
    example = Example.objects.create(
        example_set=draft, position=last + 1, source=Example.Source(source), dialogue=dialogue,
        dialogue_after=dialogue_after, operations=list(operations), **content.as_fields(),
    )  # fmt: skip
    AuditEvent.record(
        by, AuditVerb.EXAMPLE_ADDED, draft, example=example.pk, position=example.position, source=str(source)
    )
    return example


def refuse_twins(draft: ExampleSet, content: Content, dialogue: Dialogue | None, but: int | None = None) -> None:
    """Raise TwinError where the set shows this already, ContentError where it is full; `but`: the example changed."""
    others = draft.examples.exclude(pk=but) if but else draft.examples.all()
    rows = list(others.only("position", "dialogue", *FIELDS))
    for row in rows:
        row.example_set = draft
        there = content_of(row)
        if dialogue is not None and row.dialogue_id == dialogue.pk:
            reason = f"{dialogue.key} is in this set already, as example {row.position}"
        elif (there.messages, there.messages_after) == (content.messages, content.messages_after):
            reason = f"example {row.position} of this set has the same text"
        else:
            continue
        raise TwinError(reason, row.position, there)
    if len(rows) >= MOST_EXAMPLES:
        raise ContentError(f"a set has at most {MOST_EXAMPLES} examples; take one out first")
