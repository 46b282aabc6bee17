"""The pages of rubrics: the list, one rubric, and the editor."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from annotation.design import rubrics as editing
from annotation.design.rubric_forms import RubricEditor
from core.fingerprint import StaleError
from core.permissions import person_of, requires
from dialogues.models import FrozenRubricError, Rubric

PAGE = 25


@require_GET
@requires("annotation.view_study", "see rubrics")
def rubrics(request: HttpRequest) -> HttpResponse:
    rows = Rubric.objects.annotate(uses=Count("studies", distinct=True), judged=Count("runs", distinct=True))
    page = Paginator(rows.order_by("pk"), PAGE).get_page(request.GET.get("page"))
    return render(request, "studies/rubrics.html", {"page": page})


@require_GET
@requires("annotation.view_study", "see rubrics")
def rubric(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Rubric, pk=pk)
    context = {
        "rubric": row,
        "is_used": editing.is_used(row),
        "studies": row.studies.order_by("-pk")[:PAGE],
        "more_studies": max(0, row.studies.count() - PAGE),
        "warns": any(metric.asked_for for metric in row.metric_list()),
    }
    return render(request, "studies/rubric.html", context)


@require_http_methods(["GET", "POST"])
@requires("annotation.add_study", "make rubrics")
def rubric_new(request: HttpRequest) -> HttpResponse:
    editor = RubricEditor(request.POST or None)
    if request.method == "POST" and "more" not in request.POST and editor.is_valid():
        made = editing.make_rubric(by=person_of(request), **editor.values())
        messages.success(request, f"{made.name} can be chosen now.")
        return redirect("rubric", made.pk)
    return _editor_page(request, editor, None)


@require_http_methods(["GET", "POST"])
@requires("annotation.change_study", "change rubrics")
def rubric_edit(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Rubric, pk=pk)
    if editing.is_used(row):
        return _used(request, row)
    editor = RubricEditor(request.POST or None, row)
    if request.method == "POST" and "more" not in request.POST and editor.is_valid():
        try:
            editing.change_rubric(
                rubric=row, seen=editor.head.cleaned_data["seen"], by=person_of(request), **editor.values()
            )
        except FrozenRubricError:
            return _used(request, row)
        except StaleError:
            row.refresh_from_db()
            context = {"rubric": row, "editor": editor, "seen": editing.shown(row)}
            return render(request, "studies/rubric_conflict.html", context, status=409)
        messages.success(request, "Saved.")
        return redirect("rubric", pk)
    return _editor_page(request, editor, row)


@require_POST
@requires("annotation.add_study", "make rubrics")
def rubric_clone(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Rubric, pk=pk)
    made = editing.clone_rubric(rubric=row, name=f"Copy of {row.name}"[:120], by=person_of(request))
    messages.success(request, "This copy can be changed.")
    return redirect("rubric_edit", made.pk)


@require_POST
@requires("annotation.change_study", "delete rubrics")
def rubric_delete(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Rubric, pk=pk)
    try:
        editing.delete_rubric(rubric=row, by=person_of(request))
    except FrozenRubricError as error:
        messages.error(request, str(error))
        return redirect("rubric", pk)
    messages.success(request, f"{row.name} is deleted.")
    return redirect("rubrics")


def _editor_page(request: HttpRequest, editor: RubricEditor, row: Rubric | None) -> HttpResponse:
    """The editor, with another empty question if that button was pressed."""
    status = 200
    if request.method == "POST":
        editor, status = (RubricEditor.with_one_more(request.POST), 200) if "more" in request.POST else (editor, 422)
    return render(request, "studies/rubric_edit.html", {"editor": editor, "rubric": row}, status=status)


def _used(request: HttpRequest, row: Rubric) -> HttpResponse:
    messages.error(request, "These questions have been used, so they cannot change. Make a copy and change that.")
    return redirect("rubric", row.pk)
