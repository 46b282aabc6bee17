"""Several people's versions of one dialogue, and people's agreement over all dialogues."""

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.text import slugify
from django.views.decorators.http import require_GET

from annotation.models import Restructuring
from annotation.restructuring import beside
from annotation.restructuring.boundary_agreement import agreement_table, shared_dialogues
from core.downloads import TABLE_FORMS, table_file
from core.numbers import whole_number
from core.permissions import requires
from dialogues.models import Corpus, Dialogue

PAGE = 50
_may_see = requires("annotation.view_restructuring", "see what people restructure")


@require_GET
@_may_see
def restructurings_beside(request: HttpRequest, pk: int) -> HttpResponse:
    original = _restructured(pk)
    rewrites = beside.rewrites_of(original)
    transcript = original.transcript
    kept = Restructuring.objects.kept().filter(original=original).count()
    names = [one.name for one in rewrites]
    files = {form: reverse("restructurings_beside_table", args=[pk, form]) for form in TABLE_FORMS}
    context = {
        "original": original,
        "rewrites": rewrites,
        "columns": len(rewrites) + 1,
        "rows": beside.aligned(transcript, rewrites),
        "picture": beside.boundary_picture(transcript, rewrites),
        "at_work": kept - len(rewrites),
        "linked": {"table": beside.pairs_table(rewrites, names), "files": files} if len(rewrites) > 1 else None,
    }
    return render(request, "restructuring/beside.html", context)


@require_GET
@_may_see
def restructurings_beside_table(request: HttpRequest, pk: int, form: str) -> HttpResponse:
    original = _restructured(pk)
    rewrites = beside.rewrites_of(original)
    if len(rewrites) < 2:
        raise Http404("Fewer than two people have restructured this dialogue.")
    table = beside.pairs_table(rewrites, beside.pseudonyms(rewrites))
    return table_file(request, table, form, f"{slugify(original.key) or original.pk}-pairs")


@require_GET
@_may_see
def restructuring_agreement(request: HttpRequest) -> HttpResponse:
    corpus = _corpus(request)
    shared = shared_dialogues(corpus)
    files = {form: reverse("restructuring_agreement_table", args=[form]) + _query(corpus) for form in TABLE_FORMS}
    context = {
        "corpus": corpus,
        "corpora": Corpus.objects.listed().filter(dialogues__restructurings__isnull=False).distinct(),
        "page": Paginator(shared, PAGE).get_page(request.GET.get("page")),
        "linked": {"table": agreement_table(shared), "files": files},
    }
    return render(request, "restructuring/agreement.html", context)


@require_GET
@_may_see
def restructuring_agreement_table(request: HttpRequest, form: str) -> HttpResponse:
    corpus = _corpus(request)
    stem = slugify(corpus.name) or f"corpus-{corpus.pk}" if corpus else "all"
    return table_file(request, agreement_table(shared_dialogues(corpus)), form, f"{stem}-boundary-agreement")


def _restructured(pk: int) -> Dialogue:
    return get_object_or_404(
        Dialogue.objects.select_related("corpus", "version").filter(restructurings__isnull=False).distinct(), pk=pk
    )


def _corpus(request: HttpRequest) -> Corpus | None:
    """The corpus named in the address; None for all."""
    key = whole_number(request.GET.get("corpus"))
    return get_object_or_404(Corpus.objects.listed(), pk=key) if key is not None else None


def _query(corpus: Corpus | None) -> str:
    return f"?corpus={corpus.pk}" if corpus else ""
