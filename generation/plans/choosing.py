"""Which dialogues a run takes, and which of them it shows as examples."""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from random import Random

from django.db.models import Exists, OuterRef, Q, QuerySet

from dialogues.models import Corpus, Dialogue
from generation.families import in_families, roots_of
from generation.models import Background, Example, ExampleSet, Run, RunStage, Stage, TrialSubject

AT_ONCE = 500  # keys a query may name; databases limit it
TEXTS_AT_ONCE = 50  # texts a query compares


@dataclass(frozen=True, slots=True)
class Selection:
    """What dialogues must meet; the defaults take all originals of the corpus.

    `without` leaves out dialogues that already have this version, written by `without_writer` or, if that is empty, by
    anybody. `sample` is drawn last, from what the other conditions leave. `with_examples` also takes dialogues that
    the run shows as examples.
    """

    sample: int | None = None
    search: str = ""
    fewest_messages: int | None = None
    most_messages: int | None = None
    without: str = ""
    without_writer: str = ""
    with_examples: bool = False


def candidates(corpus: Corpus, selection: Selection) -> QuerySet[Dialogue]:
    """The corpus's originals that meet the conditions, before a sample is drawn."""
    rows = corpus.dialogues.originals().searched(selection.search)
    if selection.fewest_messages is not None:
        rows = rows.filter(message_count__gte=selection.fewest_messages)
    if selection.most_messages is not None:
        rows = rows.filter(message_count__lte=selection.most_messages)
    if selection.without:
        there = Dialogue.objects.filter(origin=OuterRef("pk"), version=selection.without)
        if selection.without_writer:
            there = there.filter(written_by=selection.without_writer)
        rows = rows.exclude(Exists(there))
    return rows.order_by("pk")


def chosen_dialogues(corpus: Corpus, selection: Selection, seed: int, left_out: Container[int] = ()) -> list[int]:
    """Primary keys in order; the same seed draws the same sample."""
    keys = [key for key in candidates(corpus, selection).values_list("pk", flat=True) if key not in left_out]
    if selection.sample is None or selection.sample >= len(keys):
        return keys
    return sorted(Random(seed).sample(keys, selection.sample))  # noqa: S311 - a reproducible sample, no secret


def themes_of(keys: list[int], row: RunStage) -> dict[int, int]:
    """By dialogue, the newest background that an earlier run made as this stage would.

    "As this stage would": the same model at the same address, the same parameters and wording. `row` need not be
    stored.
    """
    same = RunStage.objects.filter(stage=Stage.THEME, model=row.model, prompt=row.prompt_id).select_related("endpoint")
    stages = [one.pk for one in same if one.who == row.who]
    found: dict[int, int] = {}
    for start in range(0, len(keys), AT_ONCE):
        chunk = keys[start : start + AT_ONCE]
        rows = Background.objects.filter(dialogue__in=chunk, call__run_stage__in=stages)
        found |= dict(rows.order_by("pk").values_list("dialogue_id", "pk"))
    return found


def without_theme(keys: list[int]) -> list[int]:
    """The dialogues that have no theme of their own."""
    bare: list[int] = []
    for start in range(0, len(keys), AT_ONCE):
        chunk = keys[start : start + AT_ONCE]
        bare += Dialogue.objects.filter(pk__in=chunk, theme="").values_list("pk", flat=True)
    return bare


def shown_backgrounds(corpus: Corpus, sets: Iterable[ExampleSet]) -> set[int]:
    """Keys of the corpus's originals that these sets show: a model must not be tested on what it was shown.

    A background counts as shown where its original, or anything written from it, is an example or says the same, word
    for word; a copy that a trial made counts as what it was copied from.
    """
    examples = list(Example.objects.filter(example_set__in=[used.pk for used in sets]))
    links = [key for row in examples for key in (row.dialogue_id, row.dialogue_after_id) if key]
    roots = roots_of(Dialogue.objects.filter(pk__in=links))
    copies = TrialSubject.objects.filter(in_families(roots, "source"))
    roots |= roots_of(Dialogue.objects.filter(pk__in=copies.values("dialogue")))
    found = set(corpus.dialogues.filter(pk__in=roots).values_list("pk", flat=True))
    texts = [text for row in examples for text in (row.messages, row.messages_after) if text]
    for start in range(0, len(texts), TEXTS_AT_ONCE):
        same = Q()
        for text in texts[start : start + TEXTS_AT_ONCE]:
            same |= Q(message_count=len(text), messages=text)
        found |= roots_of(corpus.dialogues.filter(same))
    return found


def shown_in(run: Run) -> list[Dialogue]:
    """The run's dialogues whose background it also shows as an example."""
    sets = [] if run.is_judging else run.sets_used
    backgrounds = shown_backgrounds(run.corpus, sets) if sets else set()
    chosen = Dialogue.objects.filter(chosen_by__run=run)
    return list(chosen.filter(in_families(backgrounds)).order_by("pk")) if backgrounds else []
