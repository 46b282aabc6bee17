"""The punctuation-split baseline as rows: every β cut after its sentences, without a model (paper §1)."""

from django.db import transaction

from dialogues.models import AuditEvent, Corpus, Dialogue
from dialogues.splitting import split_by_punctuation

SOURCE, MADE = "beta", "punctuation"
BATCH = 1000


@transaction.atomic
def split_all(corpus: Corpus, *, by: object = None) -> int:
    """Make the baseline of each single-step dialogue that has none yet; returns how many were made."""
    Corpus.objects.select_for_update().get(pk=corpus.pk)
    missing = corpus.dialogues.of_version(SOURCE).exclude(rewrites__version=MADE)
    made = 0
    batch: list[Dialogue] = []
    for source in missing.iterator(BATCH):
        batch.append(_baseline_of(source))
        if len(batch) == BATCH:
            made += len(Dialogue.objects.bulk_create(batch))
            batch = []
    made += len(Dialogue.objects.bulk_create(batch))
    AuditEvent.record(by, "split baseline", corpus, made=made)
    return made


def _baseline_of(source: Dialogue) -> Dialogue:
    """Where it came from decides whether it is demo text: cutting adds no words."""
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
