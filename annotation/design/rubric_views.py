"""The pages of rubrics: the list, one rubric, and the editor with its forms."""

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.forms import BaseFormSet, formset_factory
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.text import slugify
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from annotation.design import rubrics as editing
from annotation.design.step_forms import PlainText
from core.fingerprint import StaleError
from core.lines import filled_lines
from core.numbers import whole_number
from core.permissions import person_of, requires
from dialogues.models import FrozenRubricError, Rubric, Version
from dialogues.rubric import FURTHEST, KEY, MOST_POINTS, Metric, Scale

PAGE = 25
PREFIX = "metrics"
MOST_METRICS = 30


class RubricHeadForm(forms.Form):
    seen = forms.CharField(widget=forms.HiddenInput, required=False)
    name = forms.CharField(max_length=120, help_text="For you and your colleagues.")
    scale_low = forms.IntegerField(label="Lowest point", min_value=-FURTHEST, max_value=FURTHEST, initial=1)
    scale_high = forms.IntegerField(label="Highest point", min_value=-FURTHEST, max_value=FURTHEST, initial=5)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        low, high = cleaned.get("scale_low"), cleaned.get("scale_high")
        if low is not None and high is not None and not 1 <= high - low < MOST_POINTS:
            self.add_error("scale_high", f"A scale ascends and has 2 to {MOST_POINTS} points.")
        return cleaned

    def scale(self) -> Scale:
        return Scale(self.cleaned_data["scale_low"], self.cleaned_data["scale_high"])


class MetricForm(forms.Form):
    """One question; an empty row is ignored."""

    name = forms.CharField(max_length=60, help_text="What raters see above the question.")
    key = forms.CharField(
        max_length=40, required=False, help_text="Its name in exports, like on_topic. Empty: made from the name."
    )
    definition = forms.CharField(max_length=1000, widget=forms.Textarea(attrs={"rows": 2}))
    low = forms.CharField(label="Word for the lowest point", max_length=120)
    high = forms.CharField(label="Word for the highest point", max_length=120)
    points = PlainText(
        label="A word for each point",
        rows=5,
        max_length=3000,
        help_text="One per line, lowest first, as many as the scale has points. Empty: only the ends have words.",
    )
    asked_for = forms.MultipleChoiceField(
        label="Asked only about",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None: about every dialogue. A form that asks less about some versions tells raters which those are.",
    )
    dash_for = forms.MultipleChoiceField(
        label="Tables print a dash for",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Still asked, but not reported, as the paper does with On-topic for α.",
    )

    def __init__(self, *args: Any, versions: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("asked_for", "dash_for"):
            self.fields[name].choices = versions  # type: ignore[attr-defined]

    def clean_key(self) -> str:
        key: str = self.cleaned_data["key"]
        if not key:
            key = slugify(str(self.cleaned_data.get("name", ""))).replace("-", "_")[:40]
        if key and not KEY.fullmatch(key):
            raise forms.ValidationError("A key begins with a letter and holds small letters, digits and _ only.")
        if not key and self.cleaned_data.get("name"):
            raise forms.ValidationError("No key can be made from this name. Give one in small letters.")
        return key

    def words(self) -> tuple[str, ...]:
        return filled_lines(self.cleaned_data["points"])

    def metric(self) -> Metric:
        given = self.cleaned_data
        return Metric(
            given["key"],
            given["name"],
            given["definition"],
            given["low"],
            given["high"],
            self.words(),
            tuple(given["dash_for"]),
            tuple(given["asked_for"]),
        )


class BaseMetrics(BaseFormSet[MetricForm]):
    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        if not hasattr(self, "versions"):
            self.versions = [(row.pk, f"{row.symbol} – {row.name}") for row in Version.objects.all()]
        return {**super().get_form_kwargs(index), "versions": self.versions}

    def kept(self) -> list[MetricForm]:
        """The questions, sorted by their order numbers."""
        rows = [form for form in self.forms if form.cleaned_data.get("name") and not form.cleaned_data.get("DELETE")]
        return sorted(rows, key=lambda form: form.cleaned_data.get("ORDER") or MOST_METRICS)

    def clean(self) -> None:
        if any(form.errors for form in self.forms if not form.cleaned_data.get("DELETE")):
            return
        keys = [form.cleaned_data["key"] for form in self.kept()]
        if not keys:
            raise forms.ValidationError("A rubric needs at least one question.")
        if twice := sorted({key for key in keys if keys.count(key) > 1}):
            raise forms.ValidationError(f"Two questions have the key {twice[0]!r}.")

    def fit(self, scale: Scale) -> bool:
        """Whether every question has a word for each point of the scale, or none; adds an error where it has not."""
        wanted = len(scale.values())
        for form in self.kept():
            if form.words() and len(form.words()) != wanted:
                form.add_error("points", f"The scale has {wanted} points; here are {len(form.words())} words.")
        return all(not form.errors for form in self.kept())


Metrics = formset_factory(
    MetricForm, formset=BaseMetrics, extra=1, can_delete=True, can_order=True, max_num=MOST_METRICS, validate_max=True,
    absolute_max=MOST_METRICS + 5,
)  # fmt: skip


class RubricEditor:
    """Both forms of a rubric as one."""

    def __init__(self, data: Any = None, rubric: Rubric | None = None) -> None:
        rows = [_row(metric) for metric in rubric.metric_list()] if rubric else []
        self.head = RubricHeadForm(data, initial=_head(rubric) if rubric else {})
        self.metrics = cast(BaseMetrics, Metrics(data, initial=rows, prefix=PREFIX))

    @classmethod
    def with_one_more(cls, data: Any) -> "RubricEditor":
        """What was typed so far, not validated, with an empty question after it."""
        number = min(whole_number(data.get(f"{PREFIX}-TOTAL_FORMS")) or 0, MOST_METRICS)
        rows = [_typed(data, f"{PREFIX}-{place}") for place in range(number)]
        editor = cls()
        editor.head = RubricHeadForm(initial={name: data.get(name, "") for name in RubricHeadForm.base_fields})
        kept = [row for row in rows if any(row.values())]
        editor.metrics = cast(BaseMetrics, Metrics(initial=kept, prefix=PREFIX))
        return editor

    def is_valid(self) -> bool:
        both = [self.head.is_valid(), self.metrics.is_valid()]
        return all(both) and self.metrics.fit(self.head.scale())

    def values(self) -> dict[str, Any]:
        """What `make_rubric` and `change_rubric` take."""
        return {
            "name": self.head.cleaned_data["name"],
            "metrics": tuple(form.metric() for form in self.metrics.kept()),
            "scale": self.head.scale(),
        }


def _head(rubric: Rubric) -> dict[str, Any]:
    parts = {part: getattr(rubric, part) for part in ("name", "scale_low", "scale_high")}
    return {**parts, "seen": editing.shown(rubric)}


def _row(metric: Metric) -> dict[str, Any]:
    lists = {"dash_for": list(metric.dash_for), "asked_for": list(metric.asked_for)}
    texts = {name: getattr(metric, name) for name in ("key", "name", "definition", "low", "high")}
    return {**texts, **lists, "points": "\n".join(metric.points)}


def _typed(data: Any, prefix: str) -> dict[str, Any]:
    many = {"asked_for", "dash_for"}
    return {
        name: data.getlist(f"{prefix}-{name}") if name in many else data.get(f"{prefix}-{name}", "")
        for name in MetricForm.base_fields
    }


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
