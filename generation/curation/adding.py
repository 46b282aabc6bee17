"""The one door through which an example comes into a set."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Max

from dialogues.models import AuditEvent, Dialogue
from generation.curation.content import MOST_EXAMPLES, Content, ContentError
from generation.curation.drafts import locked_draft
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
    AuditEvent.record(by, "example.added", draft, example=example.pk, position=example.position, source=str(source))
    return example


def refuse_twins(draft: ExampleSet, content: Content, dialogue: Dialogue | None, but: int | None = None) -> None:
    """Raise ContentError where the set is full or shows this already; `but` is the example being changed."""
    others = draft.examples.exclude(pk=but) if but else draft.examples.all()
    if dialogue is not None:
        there = others.filter(dialogue=dialogue).first()
        if there is not None:
            raise ContentError(f"{dialogue.key} is in this set already, as example {there.position}")
    shown = (content.messages.to_json(), content.messages_after and content.messages_after.to_json())
    rows = list(others.values_list("position", "messages", "messages_after"))
    for position, *texts in rows:
        if tuple(texts) == shown:
            raise ContentError(f"example {position} of this set has the same text")
    if len(rows) >= MOST_EXAMPLES:
        raise ContentError(f"a set has at most {MOST_EXAMPLES} examples; take one out first")
