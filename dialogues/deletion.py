"""Delete a corpus with all its dialogues, unless something is built on it."""

from typing import Any

from django.db import models, transaction

from dialogues.models import AuditEvent, Corpus


def in_the_way(corpus: Corpus) -> list[str]:
    """What protects the corpus, such as “study Pilot”; asked of the models above without knowing them."""
    reasons = []
    for relation in corpus._meta.related_objects:
        if relation.on_delete is models.PROTECT:
            holders = relation.related_model._base_manager.filter(**{relation.field.name: corpus})
            reasons += [f"{relation.related_model._meta.verbose_name} “{holder}”" for holder in holders[:10]]
    return reasons


@transaction.atomic
def delete_corpus(corpus: Corpus, *, by: Any) -> None:
    """Remove it and everything written from it; raises ProtectedError where `in_the_way` names something."""
    counts = corpus.dialogues.aggregate(dialogues=models.Count("pk"), messages=models.Sum("message_count", default=0))
    AuditEvent.record(by, "deleted corpus", corpus, name=corpus.name, sha256=corpus.sha256, **counts)
    corpus.delete()
