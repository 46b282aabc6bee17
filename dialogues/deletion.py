"""Delete a corpus with all its dialogues, unless something is built on it."""

from collections.abc import Iterator
from typing import Any

from django.db import models, transaction

from dialogues.models import AuditEvent, Corpus, Dialogue


def in_the_way(corpus: Corpus) -> list[str]:
    """What protects the corpus, such as “study Pilot”, else its dialogues.

    Asked of the models above without knowing them.
    """
    reasons = []
    for holders in _protecting(Corpus, corpus):
        reasons += [f"{holders.model._meta.verbose_name} “{holder}”" for holder in holders[:10]]
    for holders in [] if reasons else _protecting(Dialogue, corpus):
        if count := holders.count():
            meta = holders.model._meta
            reasons.append(f"{count:,} {meta.verbose_name if count == 1 else meta.verbose_name_plural}")
    return list(dict.fromkeys(reasons))


def _protecting(held: type[models.Model], corpus: Corpus) -> Iterator[models.QuerySet[models.Model]]:
    """By relation: the rows that keep the corpus, or a dialogue of it, from being deleted."""
    to_corpus = "" if held is Corpus else "__corpus"
    for relation in held._meta.get_fields(include_hidden=True):
        if isinstance(relation, models.ForeignObjectRel) and relation.on_delete is models.PROTECT:
            rows = relation.related_model._base_manager
            yield rows.filter(**{f"{relation.field.name}{to_corpus}": corpus}).order_by("pk")


@transaction.atomic
def delete_corpus(corpus: Corpus, *, by: Any) -> None:
    """Remove it and everything written from it; raises ProtectedError where `in_the_way` names something."""
    counts = corpus.dialogues.aggregate(dialogues=models.Count("pk"), messages=models.Sum("message_count", default=0))
    AuditEvent.record(by, "deleted corpus", corpus, name=corpus.name, sha256=corpus.sha256, **counts)
    corpus.delete()
