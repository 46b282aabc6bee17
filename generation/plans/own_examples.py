"""Dialogues that a run shows as examples: a model that is tested on what it was shown is not tested.

A background counts as shown where its original, or anything written from it, is an example or says the same, word for
word; a copy that a trial made counts as what it was copied from.
"""

from collections.abc import Iterable, Iterator

from django.db.models import Q

from dialogues.models import Corpus, Dialogue, DialogueQuerySet
from generation.models import Example, ExampleSet, Run, TrialSubject

AT_ONCE = 50  # texts a query compares


def shown_backgrounds(corpus: Corpus, sets: Iterable[ExampleSet]) -> set[int]:
    """Keys of the corpus's originals that these sets show, themselves or something written from them."""
    examples = list(Example.objects.filter(example_set__in=[used.pk for used in sets]))
    links = [key for row in examples for key in (row.dialogue_id, row.dialogue_after_id) if key]
    roots = set(_roots(Dialogue.objects.filter(pk__in=links)))
    copies = TrialSubject.objects.filter(Q(source__in=roots) | Q(source__origin__in=roots))
    roots |= set(_roots(Dialogue.objects.filter(pk__in=copies.values("dialogue"))))
    found = set(corpus.dialogues.filter(pk__in=roots).values_list("pk", flat=True))
    texts = [text for row in examples for text in (row.messages, row.messages_after) if text]
    for start in range(0, len(texts), AT_ONCE):
        same = Q()
        for text in texts[start : start + AT_ONCE]:
            same |= Q(message_count=len(text), messages=text)
        found |= set(_roots(corpus.dialogues.filter(same)))
    return found


def shown_in(run: Run) -> list[Dialogue]:
    """Of the dialogues that a run takes those whose background it shows as an example."""
    sets = [] if run.is_judging else run.sets_used
    backgrounds = shown_backgrounds(run.corpus, sets) if sets else set()
    chosen = Dialogue.objects.filter(chosen_by__run=run)
    return list(chosen.filter(Q(pk__in=backgrounds) | Q(origin__in=backgrounds)).order_by("pk")) if backgrounds else []


def _roots(rows: DialogueQuerySet) -> Iterator[int]:
    return (origin or pk for pk, origin in rows.values_list("pk", "origin_id"))
