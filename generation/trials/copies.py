"""Copies for trials: dialogues in the scratch corpus, frozen copies of draft sets, and wordings."""

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
# All fields of an example except its set.
EXAMPLE_FIELDS = (
    "position", "topic", "theme", "traits_1", "traits_2", "messages", "messages_after", "note", "source",
    "dialogue_id", "dialogue_after_id", "operations",
)  # fmt: skip
# The fields that a model is shown.
SHOWN_FIELDS = ("theme", "traits_1", "traits_2", "messages", "messages_after")


def scratch_corpus() -> Corpus:
    """The one corpus that trials write in; no list shows it."""
    there = Corpus.objects.filter(is_scratch=True, filled_at=None).order_by("pk").first()
    if there is not None:
        return there
    name = next(name for name in _names(SCRATCH) if not Corpus.objects.filter(name=name).exists())
    return Corpus.objects.get_or_create(
        name=name, defaults={"is_scratch": True, "description": "Copies that trials of examples and prompts write on."}
    )[0]


def _names(name: str) -> Sequence[str]:
    return [name, *(f"{name} {number}" for number in range(2, 1000))]


@transaction.atomic
def copies_of(dialogues: Sequence[Dialogue]) -> list[Dialogue]:
    """The scratch copy of each dialogue, in order; an existing copy is reused, because dialogues never change.

    The original of a version is copied too, and becomes the copy's `origin`.
    """
    corpus = scratch_corpus()
    return [_copy(dialogue, corpus) for dialogue in dialogues]


def _copy(dialogue: Dialogue, corpus: Corpus) -> Dialogue:
    if dialogue.corpus_id == corpus.pk:
        return dialogue
    origin = _copy(dialogue.origin, corpus) if dialogue.origin else None
    fields = {name: getattr(dialogue, name) for name in COPIED}
    # The number makes the key unique even if the names are cut off.
    longest = Dialogue._meta.get_field("key").max_length
    key = f"{dialogue.pk}: {dialogue.corpus}/{dialogue.key}"[:longest]
    return Dialogue.objects.get_or_create(corpus=corpus, key=key, defaults={**fields, "origin": origin})[0]


def shown(example_set: ExampleSet) -> list[list[object]]:
    """What models are shown of a set; two sets that show the same are the same to them."""
    return [[getattr(row, name) for name in SHOWN_FIELDS] for row in example_set.examples.all()]


@transaction.atomic
def as_tried(example_set: ExampleSet) -> ExampleSet:
    """A frozen set with this content: the set itself, or for a draft a copy of its present content.

    The newest copy is reused until the draft changes.
    """
    # Locked so that two trials at once make one copy.
    locked = ExampleSet.objects.select_for_update(no_key=True).get(pk=example_set.pk)
    if locked.frozen_at is not None:
        return locked
    now = list(locked.examples.all())
    newest = locked.snapshots.order_by("-version", "-pk").first()
    if newest is not None and [content(row) for row in newest.examples.all()] == [content(row) for row in now]:
        return newest
    return _snapshot(locked, now)


def content(example: Example) -> list[object]:
    """All that can change in an example."""
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
    """The row of a wording that is only tried; it is no version of the stage's prompt."""
    return Prompt.objects.get_or_create(
        stage=stage, sha256=prompt_sha256(text), is_trial=True,
        defaults={"version": 0, "system": text.system, "user": text.user},
    )[0]  # fmt: skip
