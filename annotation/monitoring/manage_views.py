"""What can be done to a launched study: each action has a page that says what will happen, and a POST that does it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from annotation.design import launch
from annotation.design.drafting import DesignError
from annotation.models import Study
from annotation.monitoring import states
from annotation.reports import unblinding
from core.permissions import act, requires


class ExtendForm(forms.Form):
    raters_per_item = forms.IntegerField(label="Raters per dialogue, in all", min_value=1, max_value=100)


class AddForm(forms.Form):
    backgrounds = forms.IntegerField(label="How many more backgrounds", min_value=1, max_value=100_000)


@dataclass(frozen=True, slots=True)
class Action:
    """One action: its words before and after, the function that does it, and the states in which it is possible."""

    title: str
    button: str
    sentences: tuple[str, ...]
    said: str
    do: Callable[..., object]
    states: tuple[str, ...]
    form: type[forms.Form] | None = None
    danger: bool = False
    fields: dict[str, Any] = field(default_factory=dict)


_OPEN, _PAUSED, _CLOSED = Study.State.OPEN.value, Study.State.PAUSED.value, Study.State.CLOSED.value
ACTIONS = {
    "pause": Action(
        "Pause the study",
        "Pause study",
        (
            "Raters can neither rate nor join until you resume it. They are told that it is paused.",
            "Their scores and what they have begun are kept.",
        ),
        "Paused. Nobody can rate until you resume it.",
        states.pause,
        (_OPEN,),
    ),
    "resume": Action(
        "Resume the study",
        "Resume study",
        ("Raters can continue where they left off, and its open link works again.",),
        "Resumed. Raters can continue.",
        states.resume,
        (_PAUSED,),
    ),
    "close": Action(
        "Close the study",
        "Close study",
        (
            "Nobody can add or correct a rating afterwards, and it cannot be opened again. Invitation links and the "
            "open link stop working.",
            "What was rated stays as it is.",
        ),
        "Closed. Its ratings stay as they are.",
        states.close,
        (_OPEN, _PAUSED),
        danger=True,
    ),
    "extend": Action(
        "Ask for more raters",
        "Ask for more raters",
        (
            "Every dialogue gets more slots, which are given to raters as they come. Nothing that was rated changes, "
            "and the number cannot be made smaller again.",
        ),
        "More raters are asked for.",
        launch.extend,
        (_OPEN, _PAUSED),
        ExtendForm,
    ),
    "add-items": Action(
        "Add dialogues",
        "Add dialogues",
        (
            "More backgrounds of the corpus are drawn by the study’s seed, each with every version of the study. They "
            "come after the existing ones; no existing rating changes.",
        ),
        "The dialogues are added.",
        launch.add_items,
        (_OPEN, _PAUSED),
        AddForm,
    ),
    "unblind": Action(
        "Unblind the study",
        "Unblind study",
        (
            "Pages about single dialogues and raters will show every researcher which version a dialogue is. "
            "Your name and the time are recorded for good and shown on the study’s page.",
            "Settle disputed scores and decide on exclusions first, so that knowing the versions cannot sway you.",
        ),
        "Unblinded. Pages about single dialogues now name their versions.",
        unblinding.unblind,
        (_OPEN, _PAUSED, _CLOSED),
        danger=True,
        fields={"how": "on purpose"},
    ),
}


@require_http_methods(["GET", "POST"])
@requires("annotation.change_study", "change studies")
def study_manage(request: HttpRequest, pk: int, action: str) -> HttpResponse:
    study = get_object_or_404(Study.objects.select_related("rubric"), pk=pk)
    chosen = ACTIONS.get(action)
    if chosen is None or study.is_draft:
        raise Http404("There is no such thing to do to this study.")
    form = chosen.form(request.POST or None) if chosen.form else None
    if request.method == "POST" and (form is None or form.is_valid()):
        return _done(request, study, chosen, form.cleaned_data if form else {})
    context = {"study": study, "action": chosen, "form": form, "possible": action in possible(study)}
    return render(request, "studies/manage.html", context, status=422 if form and form.errors else 200)


def possible(study: Study) -> list[str]:
    """The actions that are possible in the study's present state, as the last part of their addresses."""
    names = [name for name, action in ACTIONS.items() if study.state in action.states]
    without = {
        "extend": study.raters_per_item is None,
        "unblind": study.is_simulated or study.is_imported or unblinding.unblinded_by(study) is not None,
    }
    return [name for name in names if not without.get(name)]


def _done(request: HttpRequest, study: Study, action: Action, values: dict[str, Any]) -> HttpResponse:
    act(request, action.do, action.said, DesignError, study=study, **action.fields, **values)
    # The report's page posts here too, to unblind the study, and continues to the report.
    return redirect("study_report", study.pk) if request.POST.get("then") == "report" else redirect(study)
