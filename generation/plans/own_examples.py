"""Dialogues that a run shows as examples: a model that is tested on what it was shown is not tested.

A background counts as shown where its original, or anything written from it, is an example or says the same, word for
word; a copy that a trial made counts as what it was copied from.
"""

from collections.abc import Iterable, Iterator

from django.db.models import Q

from dialogues.models import Corpus, Dialogue
from generation.models import Example, ExampleSet, Run, TrialSubject

AT_ONCE = 50  # texts a query compares


def shown_backgrounds(corpus: Corpus, sets: Iterable[ExampleSet]) -> set[int]:
    """Keys of the corpus's originals that these sets show, themselves or something written from them."""
    examples = list(Example.objects.filter(example_set__in=[used.pk for used in sets]))
    linked = {key for row in examples for key in (row.dialogue_id, row.dialogue_after_id) if key}
    copies = TrialSubject.objects.filter(Q(dialogue__in=linked) | Q(source__in=linked))
    for copy, source in copies.values_list("dialogue", "source"):
        linked |= {key for key in (copy, source) if key}
    # What a trial wrote hangs on the copy of an original, which is no subject where a γ was split.
    found = set(_roots(corpus.dialogues.filter(pk__in=linked)))
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


def _roots(rows: Iterable[Dialogue]) -> Iterator[int]:
    return (row.origin_id or row.pk for row in rows)
