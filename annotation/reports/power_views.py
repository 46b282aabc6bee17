"""The page that says how many raters and backgrounds a study needs."""

from dataclasses import asdict, replace
from typing import Any

from django import forms
from django.contrib import messages
from django.forms import BoundField
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_POST

from annotation.design import drafting
from annotation.design.plan import CLAIMS_ABOUT, AnalysisPlan
from annotation.design.plan_record import plan_of
from annotation.design.plan_values import MOST_POINTS
from annotation.models import Study
from annotation.reports.models.power import Cell, Components
from annotation.reports.power import (
    DEVIATIONS,
    PowerError,
    PowerQuestion,
    background_sizes,
    components_of,
    power_tables,
    rater_sizes,
)
from core.downloads import TABLE_FORMS, table_file
from core.numbers import whole_number
from core.permissions import person_of, requires
from core.tables import Table
from dialogues.models import Rubric

BETWEEN = "x"
HIGHEST_SEED = 2**31 - 1


QUESTION = ("raters", "backgrounds", "difference", "population", "seed")


class Sizes(forms.CharField):
    """Several whole numbers, such as 3, 5, 10."""

    def __init__(self, *, read: Any, **kwargs: Any) -> None:
        self.read = read
        super().__init__(max_length=100, **kwargs)

    def to_python(self, value: Any) -> Any:
        try:
            return self.read(super().to_python(value))
        except PowerError as error:
            raise forms.ValidationError(str(error)) from error


def _deviation(name: str) -> forms.FloatField:
    return forms.FloatField(label=DEVIATIONS[name].capitalize(), min_value=0, max_value=MOST_POINTS)


class PowerForm(forms.Form):
    raters = Sizes(read=rater_sizes, help_text="Up to eight numbers, such as 3, 5, 10. Each rater scores everything.")
    backgrounds = Sizes(read=background_sizes)
    difference = forms.FloatField(
        min_value=-MOST_POINTS,
        max_value=MOST_POINTS,
        label="Difference to find",
        help_text="In points of the scale: the smallest that would matter to you.",
    )
    population = forms.ChoiceField(
        label="As a claim about", choices=list(CLAIMS_ABOUT.items()), widget=forms.RadioSelect
    )
    background = _deviation("background")
    item = _deviation("item")
    rater = _deviation("rater")
    rater_version = _deviation("rater_version")
    residual = _deviation("residual")
    seed = forms.IntegerField(min_value=0, max_value=HIGHEST_SEED)

    def clean_residual(self) -> float:
        value: float = self.cleaned_data["residual"]
        if value <= 0:
            raise forms.ValidationError("The residual is more than 0: two ratings of one dialogue differ.")
        return value

    def question(self) -> PowerQuestion:
        given = self.cleaned_data
        components = Components(**{name: given[name] for name in DEVIATIONS})
        return PowerQuestion(components=components, **{name: given[name] for name in QUESTION})

    def of_study(self) -> list[BoundField]:
        """What is asked of a study, apart from how far its ratings spread."""
        return [self[name] for name in QUESTION]

    def of_ratings(self) -> list[BoundField]:
        return [self[name] for name in DEVIATIONS]


def values_of(question: PowerQuestion) -> dict[str, str]:
    """What the form would send for a question."""
    sizes = {name: ", ".join(map(str, getattr(question, name))) for name in ("raters", "backgrounds")}
    others = {name: str(getattr(question, name)) for name in ("difference", "population", "seed")}
    return {**sizes, **others, **_sent(question.components)}


def _sent(components: Components) -> dict[str, str]:
    return {name: f"{value:.4g}" for name, value in asdict(components).items()}


class FittedForm(forms.Form):
    """The study whose ratings show how far ratings spread."""

    of = forms.ModelChoiceField(
        Study.objects.exclude(state=Study.State.DRAFT).exclude(kind=Study.Kind.PAIRS),
        label="A study with ratings",
        empty_label=None,
    )
    metric = forms.ChoiceField(required=False)

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        rubrics = Rubric.objects.filter(studies__in=self.fields["of"].queryset).distinct()  # type: ignore[attr-defined]
        known = {metric.key: metric.name for rubric in rubrics for metric in rubric.metric_list()}
        self.fields["metric"].choices = [("", "the study’s first metric"), *known.items()]  # type: ignore[attr-defined]


@require_GET
@requires("annotation.view_study", "see studies")
def study_power(request: HttpRequest) -> HttpResponse:
    """Backgrounds × raters, from what the form assumes; `study` names a draft whose plan may take a cell over."""
    draft = _draft(request.GET.get("study"))
    fitted_form, fitted = _fitted(request)
    form = PowerForm(_asked(request.GET, fitted, draft))
    cells = list(form.question().cells()) if form.is_valid() else []
    context = {
        "form": form,
        "fitted_form": fitted_form,
        "fitted": fitted,
        "draft": draft,
        "plan": plan_of(draft) if draft else None,
        "tables": [_linked(table, form) for table in power_tables(form.question(), cells)] if cells else [],
        "choices": [(f"{cell.raters}{BETWEEN}{cell.backgrounds}", cell) for cell in cells if cell.power is not None],
    }
    return render(request, "reports/power.html", context, status=422 if form.errors else 200)


@require_GET
@requires("annotation.view_study", "see studies")
def study_power_table(request: HttpRequest, table: str, form: str) -> HttpResponse:
    """One of the tables as a file, from the same question as the page's."""
    asked = PowerForm(_asked(request.GET, None, None))
    if not asked.is_valid():
        raise Http404("Nothing can be computed from this address.")
    tables = {one.slug: one for one in power_tables(asked.question(), asked.question().cells())}
    return table_file(request, tables.get(table), form, table)


def _linked(table: Table, form: PowerForm) -> dict[str, Any]:
    """The table with the addresses of its files."""
    query = urlencode({name: form.data[name] for name in form.fields})
    urls = {kind: reverse("study_power_table", args=[table.slug, kind]) for kind in TABLE_FORMS}
    return {"table": table, "files": {kind: f"{url}?{query}" for kind, url in urls.items()}}


@require_POST
@requires("annotation.change_study", "change studies")
def study_power_keep(request: HttpRequest, pk: int) -> HttpResponse:
    """Write one cell of the table into the draft's plan: its size, its power, for whom it is, and what was assumed."""
    study = get_object_or_404(Study.objects.exclude(kind=Study.Kind.PAIRS), pk=pk)
    form, plan = PowerForm(request.POST), plan_of(study)
    if plan is None:
        messages.error(request, "Write the analysis plan first; then its power can be added.")
        return redirect("study_step", pk, "analysis")
    cell = _chosen(form, request.POST.get("cell", "")) if form.is_valid() else None
    if cell is None:
        messages.error(request, "Choose raters and backgrounds from the table.")
        return redirect("study_power")
    power = form.question().planned(cell)
    planned = replace(
        plan, raters=power.raters, backgrounds=power.backgrounds, population=power.population, power=power
    )
    try:
        drafting.change_study(study=study, by=person_of(request), analysis_plan=planned.as_json())
    except drafting.DesignError as error:
        messages.error(request, str(error))
        return redirect(study)
    messages.success(request, _kept(plan, planned))
    return redirect("study_step", pk, "analysis")


def _kept(before: AnalysisPlan, planned: AnalysisPlan) -> str:
    """That the plan has the power, and where it speaks of other raters now."""
    said = "The plan has this size and its power."
    if planned.population is None or planned.population == (before.population or "like"):
        return said
    return f"{said} Its intervals are now for {CLAIMS_ABOUT[planned.population]}, as the power is."


def _chosen(form: PowerForm, code: str) -> Cell | None:
    """The cell of the form's table that was chosen, if it says anything."""
    raters, _, backgrounds = code.partition(BETWEEN)
    wanted = (whole_number(raters), whole_number(backgrounds))
    cells = form.question().cells()
    return next((cell for cell in cells if (cell.raters, cell.backgrounds) == wanted and cell.power is not None), None)


def _draft(key: str | None) -> Study | None:
    drafts = Study.objects.filter(state=Study.State.DRAFT).exclude(kind=Study.Kind.PAIRS)
    return drafts.filter(pk=whole_number(key) or 0).first()


def _fitted(request: HttpRequest) -> tuple[FittedForm, Components | None]:
    """The form that names a study, and what its ratings show if it was sent."""
    if "of" not in request.GET:
        return FittedForm(), None
    form = FittedForm(request.GET)
    if not form.is_valid():
        return form, None
    study: Study = form.cleaned_data["of"]
    metric = form.cleaned_data["metric"] or next((one.key for one in study.rubric.metric_list()), "")
    try:
        return form, components_of(study, metric)
    except PowerError as error:
        form.add_error(None, str(error))
        return form, None


def _asked(given: QueryDict, fitted: Components | None, draft: Study | None) -> dict[str, str]:
    """What the page computes: what was sent, what was fitted in its place, and usual values for the rest."""
    usual = values_of(_start(draft))
    sent = {name: str(given[name]) for name in usual if name in given}
    return {**usual, **sent, **(_sent(fitted) if fitted else {})}


def _start(draft: Study | None) -> PowerQuestion:
    """The usual question, with the size that the draft's plan has."""
    question, plan = PowerQuestion(), plan_of(draft) if draft else None
    if plan is None:
        return question
    raters, backgrounds = {*question.raters, plan.raters}, {*question.backgrounds, plan.backgrounds}
    found = replace(
        question,
        raters=tuple(sorted(number for number in raters if number)),
        backgrounds=tuple(sorted(number for number in backgrounds if number)),
        population=plan.population or "like",
    )
    if plan.power is None:
        return found
    components = Components(**{name: getattr(plan.power, name) for name in DEVIATIONS})
    return replace(found, difference=plan.power.difference, components=components, seed=plan.power.seed)
