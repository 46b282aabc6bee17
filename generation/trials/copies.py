"""What a trial works on and with: copies of dialogues in the scratch corpus, and frozen copies of drafts."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Max

from dialogues.models import Corpus, Dialogue
from generation.models import Example, ExampleSet, Prompt, Stage
from generation.prompts import PromptText, prompt_sha256

SCRATCH = "Copies for trials"
COPIED = (
    "version_id", "messages", "traits_1", "traits_2", "theme", "written_by", "is_demo", "message_count", "turn_count",
    "whitespace_tokens", "word_tokens", "turns_of_1", "turns_of_2", "turns_of_3", "turns_of_4", "turns_of_5",
    "turns_of_6_up",
)  # fmt: skip
# All of an example but its place in a set.
EXAMPLE_FIELDS = (
    "position", "topic", "theme", "traits_1", "traits_2", "messages", "messages_after", "note", "source",
    "dialogue_id", "dialogue_after_id", "operations",
)  # fmt: skip
# What a model is shown of it.
SHOWN_FIELDS = ("theme", "traits_1", "traits_2", "messages", "messages_after")


def scratch_corpus() -> Corpus:
    """The one corpus that trials write in; it is on no list."""
    there = Corpus.objects.filter(is_scratch=True).order_by("pk").first()
    if there is not None:
        return there
    name = next(name for name in _names(SCRATCH) if not Corpus.objects.filter(name=name, is_scratch=False).exists())
    return Corpus.objects.get_or_create(
        name=name, defaults={"is_scratch": True, "description": "Copies that trials of examples and prompts write on."}
    )[0]


def _names(name: str) -> Sequence[str]:
    return [name, *(f"{name} {number}" for number in range(2, 1000))]


@transaction.atomic
def copies_of(dialogues: Sequence[Dialogue]) -> list[Dialogue]:
    """The scratch copy of each dialogue, in order; one that is there is taken, because dialogues never change.

    What is to be split keeps its original: that is copied too, and the copy's `origin`.
    """
    corpus = scratch_corpus()
    return [_copy(dialogue, corpus) for dialogue in dialogues]


def _copy(dialogue: Dialogue, corpus: Corpus) -> Dialogue:
    if dialogue.corpus_id == corpus.pk:
        return dialogue
    origin = _copy(dialogue.origin, corpus) if dialogue.origin else None
    fields = {name: getattr(dialogue, name) for name in COPIED}
    # The number makes it unique, whatever the names are and however long.
    longest = Dialogue._meta.get_field("key").max_length
    key = f"{dialogue.pk}: {dialogue.corpus}/{dialogue.key}"[:longest]
    return Dialogue.objects.get_or_create(corpus=corpus, key=key, defaults={**fields, "origin": origin})[0]


def shown(example_set: ExampleSet) -> list[list[object]]:
    """What models are shown of a set: two that say the same are the same to them."""
    return [[getattr(row, name) for name in SHOWN_FIELDS] for row in example_set.examples.all()]


@transaction.atomic
def as_tried(example_set: ExampleSet) -> ExampleSet:
    """A frozen set with this content: the set itself, or the copy of a draft as it is now, which stays a draft.

    The newest copy is taken again while the draft says the same.
    """
    # So that two trials at once make one copy.
    locked = ExampleSet.objects.select_for_update(no_key=True).get(pk=example_set.pk)
    if locked.frozen_at is not None:
        return locked
    now = list(locked.examples.all())
    newest = locked.snapshots.order_by("-version", "-pk").first()
    if newest is not None and [content(row) for row in newest.examples.all()] == [content(row) for row in now]:
        return newest
    return _snapshot(locked, now)


def content(example: Example) -> list[object]:
    """What tells one text of an example from another."""
    return [getattr(example, name) for name in EXAMPLE_FIELDS]


def _snapshot(draft: ExampleSet, examples: Sequence[Example]) -> ExampleSet:
    ending = f" v{draft.version}, as tried"
    name = draft.name[: 120 - len(ending)] + ending
    same = ExampleSet.objects.filter(name=name, kind=draft.kind)
    version = same.aggregate(newest=Max("version", default=0))["newest"] + 1
    copy = ExampleSet.objects.create(
        name=name, kind=draft.kind, version=version, note=draft.note, parent=draft.parent, snapshot_of=draft
    )
    fields = [{name: getattr(row, name) for name in EXAMPLE_FIELDS} for row in examples]
    Example.objects.bulk_create([Example(example_set=copy, **row) for row in fields])
    copy.freeze()
    return copy


@transaction.atomic
def wording_on_trial(stage: Stage, text: PromptText) -> Prompt:
    """The row that holds a wording which is only tried; no version of the stage's prompt."""
    return Prompt.objects.get_or_create(
        stage=stage, sha256=prompt_sha256(text), is_trial=True,
        defaults={"version": 0, "system": text.system, "user": text.user},
    )[0]  # fmt: skip
