"""The researcher's list of restructurings and their states; take one back, or give it back."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.text import slugify
from django.views.decorators.http import require_GET, require_POST

from annotation.models import Restructuring
from annotation.restructuring import review
from annotation.restructuring.exporting import restructuring_lines
from core.downloads import streamed_file
from core.numbers import whole_number
from core.permissions import act, person_of, requires
from core.streaming import joined
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent, Corpus, Dialogue
from dialogues.transcript import Transcript

PAGE = 25


@require_GET
@requires("annotation.view_restructuring", "see what people restructure")
def restructuring_overview(request: HttpRequest) -> HttpResponse:
    form = OverviewFilter(request.GET)
    page = Paginator(form.found(), PAGE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "page": page,
        "lines": lines(list(page)),
        "personal": Corpus.objects.personal().holding(Restructuring.objects.values("original")),
        "counts": counts() if page.paginator.count or form.is_narrowed else [],
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


class OverviewFilter(forms.Form):
    state = forms.ChoiceField(required=False, choices=[("", "Any state"), *Restructuring.State.choices])
    annotator = forms.ModelChoiceField(User.objects.none(), required=False, empty_label="Anybody")
    corpus = forms.ModelChoiceField(Corpus.objects.none(), required=False, empty_label="Any corpus")

    def __init__(self, sent: QueryDict) -> None:
        super().__init__(sent)
        mine = Restructuring.objects.filter(annotator=OuterRef("pk"))
        self.fields["annotator"].queryset = User.objects.filter(Exists(mine)).order_by("username")  # type: ignore[attr-defined]
        there = Restructuring.objects.filter(original__corpus=OuterRef("pk"))
        self.fields["corpus"].queryset = Corpus.objects.filter(Exists(there))  # type: ignore[attr-defined]

    def found(self) -> QuerySet[Restructuring]:
        """The matching restructurings, the newest first; invalid values are ignored."""
        self.is_valid()
        names = {"state": "state", "annotator": "annotator", "corpus": "original__corpus"}
        chosen = {path: self.cleaned_data[name] for name, path in names.items() if self.cleaned_data.get(name)}
        rows = Restructuring.objects.filter(**chosen).select_related(
            "annotator", "reviewer", "original__corpus", "original__version"
        )
        return rows.defer("original__messages", "original__theme", "original__traits_1", "original__traits_2")

    @property
    def is_narrowed(self) -> bool:
        return any(self.data.get(name) for name in self.fields)


@dataclass(frozen=True, slots=True)
class RestructuringLine:
    """One restructuring with the counts of its present text."""

    row: Restructuring
    now: Dialogue

    @property
    def kept(self) -> float:
        return 100 * self.row.kept


def lines(rows: list[Restructuring]) -> list[RestructuringLine]:
    return [RestructuringLine(row, Dialogue.from_transcript(Transcript.of(row.messages))) for row in rows]


def counts() -> list[dict[str, Any]]:
    """How many there are in each state, in the order of states."""
    found = dict(Restructuring.objects.order_by().values_list("state").annotate(Count("pk")))
    return [{"label": state.label, "state": state.value, "count": found.get(state, 0)} for state in Restructuring.State]
