"""Actions on a whole corpus: export it; make its punctuation baseline; delete it, unless something is built on it."""

from collections.abc import Collection
from typing import Any

from django.contrib import messages
from django.db import models, transaction
from django.db.models import ProtectedError
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.text import slugify
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.downloads import streamed_file
from core.permissions import requires
from core.streaming import joined
from dialogues.audit import AuditVerb
from dialogues.baseline import made_in_words, split_all, without_baseline
from dialogues.exporting import jsonl_lines
from dialogues.models import AuditEvent, Corpus, Dialogue

# A request makes so many within seconds; the page says if more are left.
AT_ONCE = 10_000


@require_GET
@requires("dialogues.view_corpus", "export dialogues")
def export(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """The corpus in all its versions as JSONL, sent while it is read."""
    corpus = get_object_or_404(Corpus, pk=pk)
    AuditEvent.record(request.user, AuditVerb.CORPUS_EXPORTED, corpus)
    return streamed_file(joined(jsonl_lines(corpus)), f"{slugify(corpus.name) or f'corpus-{corpus.pk}'}.jsonl")


@require_POST
@requires("dialogues.change_corpus", "make versions of dialogues")
def make_baseline(request: HttpRequest, pk: int) -> HttpResponse:
    """Idempotent: a second press makes only what is still missing."""
    corpus = get_object_or_404(Corpus, pk=pk)
    made = split_all(corpus, at_most=AT_ONCE, by=request.user)
    left = without_baseline(Dialogue.objects.filter(corpus=corpus)).count() if made == AT_ONCE else 0
    messages.success(request, made_in_words(made, left))
    return redirect(corpus)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("dialogues.delete_corpus", "delete corpora")
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    corpus = get_object_or_404(Corpus, pk=pk)
    reasons = in_the_way(corpus)
    if request.method == "POST" and not reasons:
        try:
            delete_corpus(corpus, by=request.user)
        except ProtectedError:
            # Somebody used it between the check and the deletion.
            reasons = in_the_way(corpus)
        else:
            messages.success(request, f"Deleted the corpus “{corpus.name}”.")
            return redirect("dialogues:corpora")
    context = {"corpus": corpus, "reasons": reasons, "totals": corpus.dialogues.totals()}
    return render(request, "dialogues/delete.html", context, status=409 if request.method == "POST" else 200)


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
