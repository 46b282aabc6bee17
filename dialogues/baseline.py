"""The punctuation-split baseline as rows: every β cut after its sentences, without a model (paper §1)."""

from django.db import transaction

from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent, Corpus, Dialogue, DialogueQuerySet
from dialogues.splitting import split_by_punctuation

SOURCE, MADE = "beta", "punctuation"
BATCH = 1000


def without_baseline(dialogues: DialogueQuerySet) -> DialogueQuerySet:
    """The single-step dialogues among these that have not been split yet."""
    return dialogues.of_version(SOURCE).exclude(rewrites__version=MADE)


@transaction.atomic
def split_all(
    corpus: Corpus, *, among: DialogueQuerySet | None = None, at_most: int | None = None, by: object = None
) -> int:
    """Make the baseline of each single-step dialogue that has none yet; returns how many were made.

    `among` narrows it to some of the corpus's dialogues, `at_most` to so many, the oldest first. If two run at once,
    the second waits and finds nothing left.
    """
    Corpus.objects.select_for_update().get(pk=corpus.pk)
    dialogues = Dialogue.objects.all() if among is None else among
    missing = without_baseline(dialogues.filter(corpus=corpus)).order_by("pk")[:at_most]
    made = 0
    batch: list[Dialogue] = []
    for source in missing.iterator(BATCH):
        batch.append(_baseline_of(source))
        if len(batch) == BATCH:
            made += len(Dialogue.objects.bulk_create(batch))
            batch = []
    made += len(Dialogue.objects.bulk_create(batch))
    if made:
        AuditEvent.record(by, AuditVerb.BASELINE_SPLIT, corpus, made=made)
    return made


def made_in_words(made: int, left: int) -> str:
    """What a page says afterwards: how many were made and whether more are to come."""
    if not made:
        return "Every β had its punctuation split already; nothing was made."
    said = f"{made:,} punctuation split{'s' if made != 1 else ''} of β made, without a model."
    return f"{said} {left:,} still to make: press again." if left else said


def _baseline_of(source: Dialogue) -> Dialogue:
    """The source decides whether it is demo text: cutting adds no words."""
    return Dialogue.from_transcript(
        split_by_punctuation(source.transcript),
        corpus_id=source.corpus_id,
        key=f"split.{source.pk}",
        version_id=MADE,
        origin_id=source.origin_id or source.pk,
        parent=source,
        traits_1=source.traits_1,
        traits_2=source.traits_2,
        theme=source.theme,
        written_by=source.written_by,
        is_demo=source.is_demo,
    )
