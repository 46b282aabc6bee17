"""Items that raters disagree on, one item with its scores and remarks, and settling a disputed score."""

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.text import slugify
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from annotation.models import Chat, Item, Score
from annotation.monitoring import adjudication
from annotation.monitoring.adjudication import AdjudicationError, StaleAdjudicationError
from annotation.monitoring.states import launched_or_404
from annotation.rating.answers import FLAGS
from annotation.rating.blinding import NAMES, scene
from annotation.reports import unblinding
from core.downloads import csv_form, streamed_file
from core.numbers import asked_text
from core.permissions import person_of, requires
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent
from dialogues.rubric import MOST_POINTS

PAGE = 50


class SettleForm(forms.Form):
    """One metric's settled value; `seen` is the newest settled value that the page showed."""

    metric = forms.CharField(max_length=40)
    seen = forms.IntegerField(min_value=0)
    value = forms.IntegerField()
    reason = forms.CharField(max_length=adjudication.LONGEST_REASON, required=False)


@require_GET
@requires("annotation.view_study", "see where raters disagree")
def study_disagreement(request: HttpRequest, pk: int) -> HttpResponse:
    study = launched_or_404(pk)
    metrics = study.rubric.metric_list()
    chosen = next((metric for metric in metrics if metric.key == request.GET.get("metric")), None)
    shows = unblinding.shows_versions(study)
    found = adjudication.disputed_spreads(study, chosen.key if chosen else "")
    version = asked_text(request.GET, "version") if shows else ""
    if version:
        # While the study is blind, filtering by version would reveal it.
        wanted = set(study.items.filter(dialogue__version=version).values_list("pk", flat=True))
        found = [row for row in found if row[0] in wanted]
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    context = {
        "study": study,
        "metrics": metrics,
        "chosen": chosen,
        "page": page,
        "rows": adjudication.with_items(study, list(page)),
        "shows_versions": shows,
        "versions": study.versions.all() if shows else [],
        "version": version,
    }
    return render(request, "studies/disagreement.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
@requires("annotation.change_study", "settle scores")
def study_disputed_item(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """One item, by its place in the study's shuffle from 1."""
    study = launched_or_404(pk)
    rows = Item.objects.select_related("dialogue__version", "other__version", "study__rubric")
    item = get_object_or_404(rows, study=study, position=number - 1, purpose=Item.Purpose.RATED)
    if request.method == "GET":
        return _item_page(request, item)
    form = SettleForm(request.POST)
    if not form.is_valid():
        return _item_page(request, item, status=422, problem="Choose a point of the scale, and say why.")
    try:
        adjudication.settle(item=item, by=person_of(request), **form.cleaned_data)
    except StaleAdjudicationError as error:
        return _item_page(request, item, status=409, problem=str(error), form=form)
    except AdjudicationError as error:
        return _item_page(request, item, status=422, problem=str(error), form=form)
    messages.success(request, "Settled. The raw scores stay as they are.")
    return redirect("study_disputed_item", pk, number)


def _item_page(
    request: HttpRequest, item: Item, *, status: int = 200, problem: str = "", form: SettleForm | None = None
) -> HttpResponse:
    study = item.study
    dialogues = [item.dialogue, *([item.other] if item.other else [])]
    ratings, values = adjudication.item_ratings(item), adjudication.allowed_values(study)
    context = {
        "study": study,
        "number": item.position + 1,
        "item": item,
        "scenes": [
            (dialogue, scene(dialogue, item.theme, item.traits_1, item.traits_2, tidy=study.tidy_display))
            for dialogue in dialogues
        ],
        "names": NAMES,
        # What raters of an item to chat about scored: each a chat of their own.
        "chats": _chats(item) if study.has_chats else [],
        "ratings": ratings,
        "flags": FLAGS,
        "remarks": _remarks(item, [score for rating in ratings for score in rating.scores.all()]),
        "settled": adjudication.settled_metrics(item),
        "values": values if len(values) <= MOST_POINTS else (),
        "ends": (values[0], values[-1]),
        "problem": problem,
        "sent": form.cleaned_data if form is not None else {},
        "shows_versions": unblinding.shows_versions(study),
    }
    return render(request, "studies/disputed_item.html", context, status=status)


def _chats(item: Item) -> list[Chat]:
    rows = Chat.objects.in_study(item.study).held().filter(assignment__item=item)
    return list(rows.select_related("assignment__membership__rater__profile").order_by("pk"))


def _remarks(item: Item, scores: list[Score]) -> dict[int, list[str]]:
    """By score, the messages it names as evidence; for a pair or a chat only their places."""
    texts = [text for _, text in item.dialogue.messages]
    is_one_text = item.other_id is None and not item.study.has_chats
    found = {}
    for score in scores:
        places = [place for place in score.evidence if isinstance(place, int)]
        if places and is_one_text:
            found[score.pk] = [f"{place + 1}: {texts[place]}" for place in places if 0 <= place < len(texts)]
        elif score.evidence:
            found[score.pk] = [str(place)[:80] for place in score.evidence]
    return found


@require_GET
@requires("annotation.view_rating", "export ratings")
def study_disagreement_csv(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    study = launched_or_404(pk)
    AuditEvent.record(request.user, AuditVerb.ADJUDICATIONS_EXPORTED, study)
    stem, mark = slugify(study.name) or f"study-{study.pk}", study.file_mark
    return streamed_file(adjudication.scores_csv(study, csv_form(request)), f"{stem}{mark}-adjudicated.csv")
