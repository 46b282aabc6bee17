"""Delete a corpus with all its dialogues, unless something is built on it."""

from collections.abc import Collection
from typing import Any

from django.db import models, transaction

from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent, Corpus, Dialogue

NAMED = 10


def in_the_way(corpus: Corpus) -> list[str]:
    """What protects the corpus or one of its dialogues, such as “study Pilot”; found by relations, as this app knows no
    models of the apps above it.

    If the owner already protects the corpus (a study), its parts (the study's items) are not named too.
    """
    owners = [relation.related_model for relation in _protecting(Corpus)]
    of_dialogues = [relation for relation in _protecting(Dialogue) if not _belongs_to(relation.related_model, owners)]
    found = [
        f"{relation.related_model._meta.verbose_name} “{holder}”"
        for relations, step in ((_protecting(Corpus), ""), (of_dialogues, "__corpus"))
        for relation in relations
        for holder in _holders(relation).filter(**{f"{relation.field.name}{step}": corpus})[:NAMED]
    ]
    return list(dict.fromkeys(found))


def _protecting(model: type[models.Model]) -> list[models.ManyToOneRel]:
    """Relations that protect a row of the model, including those without a reverse name."""
    relations = model._meta.get_fields(include_hidden=True)
    return [one for one in relations if isinstance(one, models.ManyToOneRel) and one.on_delete is models.PROTECT]


def _belongs_to(model: type[models.Model], owners: Collection[Any]) -> bool:
    return any(field.related_model in owners for field in model._meta.fields if field.is_relation)


def _holders(relation: models.ManyToOneRel) -> models.QuerySet[Any]:
    rows: models.QuerySet[Any] = relation.related_model._base_manager.order_by("pk")
    return rows


@transaction.atomic
def delete_corpus(corpus: Corpus, *, by: Any) -> None:
    """Remove it and everything written from it; raises ProtectedError if `in_the_way` names something."""
    counts = corpus.dialogues.aggregate(dialogues=models.Count("pk"), messages=models.Sum("message_count", default=0))
    AuditEvent.record(by, AuditVerb.CORPUS_DELETED, corpus, name=corpus.name, sha256=corpus.sha256, **counts)
    corpus.delete()
