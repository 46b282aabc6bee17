"""Prompts: every stage's wording by version, to read, to change into a new version, to try."""

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.permissions import requires
from generation import example_sets
from generation.example_sets import WordingError, keep_wording, newest_version
from generation.models import Prompt, Run, Stage, Trial
from generation.plans.plan_form import PromptField
from generation.prompts import PLACEHOLDERS, PromptText, StageName
from generation.trials.trial_plan import STAGES

RUNS_SHOWN = 20


class WordingForm(forms.Form):
    """A prompt's two texts; `newest` is the version that was the newest when the page was opened."""

    newest = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31)
    system = PromptField(label="System message", required=False)
    user = PromptField(label="User message")

    def text(self) -> PromptText:
        return PromptText(self.cleaned_data["system"], self.cleaned_data["user"])


@require_GET
@requires("generation.view_exampleset", "see prompts")
def prompt_list(request: HttpRequest) -> HttpResponse:
    rows = list(Prompt.objects.kept().order_by("-version").defer("system", "user"))
    groups = [(stage.label, [row for row in rows if row.stage == stage]) for stage in Stage]
    return render(request, "generation/prompts.html", {"groups": groups if rows else []})


@require_GET
@requires("generation.view_exampleset", "see prompts")
def prompt_detail(request: HttpRequest, pk: int) -> HttpResponse:
    prompt = get_object_or_404(Prompt, pk=pk)
    runs = Run.objects.listed().filter(run_stages__prompt=prompt).distinct()
    context = {
        "prompt": prompt,
        "placeholders": _placeholders(prompt),
        "runs": runs.select_related("corpus")[:RUNS_SHOWN],
        "runs_in_all": runs.count(),
        "trials": Trial.objects.filter(prompt=prompt).select_related("endpoint")[:RUNS_SHOWN],
        "may_be_tried": prompt.stage in STAGES,
        "next_version": newest_version(prompt.stage) + 1,
        "kept_as": example_sets.kept_wording(Stage(prompt.stage), prompt.text) if prompt.is_trial else None,
    }
    return render(request, "generation/prompt.html", context)


@require_http_methods(["GET", "POST"])
@requires("generation.change_exampleset", "change prompts")
def prompt_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Edit the wording and save it as the next version; 409 if somebody saved one meanwhile."""
    prompt = get_object_or_404(Prompt, pk=pk)
    stage = Stage(prompt.stage)
    start = {"system": prompt.system, "user": prompt.user, "newest": newest_version(stage)}
    form = WordingForm(request.POST or None, initial=start)
    meanwhile, status = None, 200
    if request.method == "POST" and form.is_valid():
        meanwhile = _made_since(stage, form.cleaned_data["newest"])
        if meanwhile is not None:
            typed = {"system": form.cleaned_data["system"], "user": form.cleaned_data["user"]}
            form, status = WordingForm(initial={**typed, "newest": meanwhile.version}), 409
        elif kept := _kept(request, form, stage):
            return redirect(kept)
    context = {
        "prompt": prompt,
        "form": form,
        "meanwhile": meanwhile,
        "placeholders": _placeholders(prompt),
        "next_version": newest_version(stage) + 1,
        "may_be_tried": stage in STAGES,
    }
    return render(request, "generation/prompt_edit.html", context, status=422 if form.errors else status)


@require_POST
@requires("generation.change_exampleset", "keep prompts")
def prompt_keep(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep a wording that was tried as a version for runs."""
    prompt = get_object_or_404(Prompt, pk=pk)
    kept = keep_wording(stage=Stage(prompt.stage), text=prompt.text, by=cast(User, request.user))
    messages.success(request, f"Kept as {kept}. The next runs use the newest version unless another is chosen.")
    return redirect(kept)


def _kept(request: HttpRequest, form: WordingForm, stage: Stage) -> Prompt | None:
    """The version made; None with the reason on the form."""
    before = example_sets.kept_wording(stage, form.text())
    if before is not None:
        form.add_error(None, f"{before} says exactly this already. Change something, or use that one.")
        return None
    try:
        prompt = keep_wording(stage=stage, text=form.text(), by=cast(User, request.user))
    except WordingError as error:
        form.add_error("user", str(error))
        return None
    messages.success(request, f"Saved as {prompt}. The next runs use it unless another is chosen.")
    return prompt


def _made_since(stage: Stage, seen: int) -> Prompt | None:
    """The newest version, if it is newer than the one that the page showed."""
    rows: Any = Prompt.objects.kept().filter(stage=stage, version__gt=seen)
    found: Prompt | None = rows.order_by("-version").first()
    return found


def _placeholders(prompt: Prompt) -> dict[str, list[str]]:
    known = PLACEHOLDERS[cast(StageName, prompt.stage)]
    return {"required": sorted(known.required), "optional": sorted(known.optional)}
