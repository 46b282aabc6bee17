"""The researcher's list of restructurings and their states; take one back, or give it back."""

from collections.abc import Callable

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.text import slugify
from django.views.decorators.http import require_GET, require_POST

from annotation.models import Restructuring
from annotation.restructuring import overview, review
from annotation.restructuring.exporting import restructuring_lines
from core.acting import act, person_of
from core.downloads import streamed_file
from core.numbers import whole_number
from core.permissions import requires
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent, Corpus
from generation.results.exporting import joined

PAGE = 25


@require_GET
@requires("annotation.view_restructuring", "see what people restructure")
def restructuring_overview(request: HttpRequest) -> HttpResponse:
    form = overview.OverviewFilter(request.GET)
    page = Paginator(form.found(), PAGE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "page": page,
        "lines": overview.lines(list(page)),
        "counts": overview.counts() if page.paginator.count or form.is_narrowed else [],
    }
    return render(request, "restructuring/overview.html", context)


@require_GET
@requires("annotation.view_restructuring", "see what people restructure")
def restructurings_export(request: HttpRequest) -> StreamingHttpResponse:
    """Every restructuring, or those of one corpus, as JSONL."""
    key = whole_number(request.GET.get("corpus"))
    corpus = get_object_or_404(Corpus.objects.listed(), pk=key) if key is not None else None
    AuditEvent.record(request.user, AuditVerb.RESTRUCTURINGS_EXPORTED, corpus or person_of(request))
    stem = slugify(corpus.name) or f"corpus-{corpus.pk}" if corpus else "all"
    return streamed_file(joined(restructuring_lines(corpus)), f"{stem}-restructurings.jsonl")


@require_POST
@requires("annotation.add_restructuring", "take restructurings back")
def restructuring_take_back(request: HttpRequest, token: str) -> HttpResponse:
    return _done(request, token, review.take_back, "Taken back. Its text and operations are kept.")


@require_POST
@requires("annotation.add_restructuring", "give restructurings back")
def restructuring_give_back(request: HttpRequest, token: str) -> HttpResponse:
    return _done(request, token, review.give_back, "Given back: its annotator can continue.")


def _done(request: HttpRequest, token: str, action: Callable[..., None], said: str) -> HttpResponse:
    found = get_object_or_404(Restructuring, token=token)
    act(request, action, said, review.ReviewError, restructuring=found)
    return redirect("restructuring_review", found.token)
