"""A run's dialogues and calls: filtered lists, one dialogue's journey through the stages, one call."""

from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.db.models import F
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from core.permissions import requires
from dialogues.display import turns_for_template
from generation.engine.requests import build, rebuild_messages, with_stages
from generation.models import Background, Call, Run, RunDialogue
from generation.results import comparison
from generation.results.writers import Writer, writers_of
from generation.views.run_actions import fetch_run
from generation.watching import journeys
from generation.watching.causes import CAUSES
from generation.watching.journeys import STATES

CALLS_A_PAGE = DIALOGUES_A_PAGE = 50
NAMES = ("A", "B")
ANY_CAUSE = ("", "Any")


class CallFilter(forms.Form):
    stage = forms.ChoiceField(required=False)
    state = forms.ChoiceField(required=False, choices=[("", "Any"), *Call.State.choices])
    outcome = forms.ChoiceField(required=False, choices=[ANY_CAUSE, ("ok", "Usable"), *CAUSES.items()])
    noted = forms.BooleanField(required=False, label="With a note")
    q = forms.CharField(required=False, max_length=200, label="Dialogue", strip=True)

    FIELDS = {"stage": "stage", "state": "state", "outcome": "outcome", "branch": "run_stage__branch"}

    def __init__(self, run: Run, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        stages = [("", "Any"), *((stage.value, stage.label) for stage in run.stage_list)]
        self.fields["stage"] = forms.ChoiceField(required=False, choices=stages)
        if len(run.writers) > 1:
            writers = [("", "Any"), *((str(branch), name) for branch, name in enumerate(run.writers))]
            self.fields["branch"] = forms.ChoiceField(required=False, label="Model", choices=writers)

    def lookups(self) -> dict[str, Any]:
        """What to filter calls by."""
        self.is_valid()
        found = {self.FIELDS[name]: value for name, value in self.cleaned_data.items() if value and name in self.FIELDS}
        if self.cleaned_data.get("noted"):
            found["note__gt"] = ""
        text = self.cleaned_data.get("q")
        return {**found, "alpha__key__icontains": text} if text else found


class DialogueFilter(forms.Form):
    q = forms.CharField(required=False, max_length=200, label="Search names and messages", strip=True)
    state = forms.ChoiceField(required=False, choices=[("", "Any"), *STATES.items()])
    cause = forms.ChoiceField(required=False, label="Failed by", choices=[ANY_CAUSE, *CAUSES.items()])

    def chosen(self) -> dict[str, str]:
        """For `journeys.chosen`."""
        self.is_valid()
        names = {"q": "text", "state": "state", "cause": "cause"}
        return {names[name]: value for name, value in self.cleaned_data.items() if value}


@require_GET
@requires("generation.view_run", "see runs")
def run_dialogues(request: HttpRequest, pk: int) -> HttpResponse:
    run = fetch_run(pk)
    form = DialogueFilter(request.GET)
    rows = journeys.chosen(run, **form.chosen()).select_related("dialogue")
    page = Paginator(rows, DIALOGUES_A_PAGE).get_page(request.GET.get("page"))
    writers = writers_of([run])
    context = {
        "run": run,
        "form": form,
        "page": page,
        "ways": journeys.ways(run, list(page)),
        "stops": [(row, writers.label(Writer(run.pk, row.branch))) for row in run.newest_rows],
        "filtered": bool(form.chosen()),
    }
    return render(request, "generation/run_dialogues.html", context)


@require_GET
@requires("generation.view_run", "see runs")
def run_dialogue(request: HttpRequest, pk: int, dialogue: int) -> HttpResponse:
    """α, theme, β, γ and Stephanie beside each other, and every call with what was sent and what came back."""
    run = fetch_run(pk)
    rows = RunDialogue.objects.select_related("dialogue__version", "background")
    chosen = get_object_or_404(rows, run=run, dialogue=dialogue)
    alpha = chosen.dialogue
    calls = list(with_stages(journeys.calls_of(run, alpha)))
    found = comparison.side_by_side([run], alpha)
    context = {
        "run": run,
        "alpha": alpha,
        "way": journeys.ways(run, [chosen])[0],
        "background": Background.objects.filter(run=run, dialogue=alpha).first() or chosen.background,
        "reused": chosen.background_id is not None,
        "found": found,
        "groups": [{"label": label, "cells": [_shown(cell) for cell in cells]} for label, cells in _by_branch(found)],
        "alpha_turns": turns_for_template(alpha.transcript, NAMES),
        "steps": [
            {"call": call, "request": asked, "proven": call.request_sha256 in ("", asked.sha256)}
            for call, asked in zip(calls, build(calls), strict=True)
        ],
    }
    return render(request, "generation/run_dialogue.html", context)


@require_GET
@requires("generation.view_run", "see runs")
def run_calls(request: HttpRequest, pk: int) -> HttpResponse:
    """Latest first; waiting calls come after all that were sent."""
    run = fetch_run(pk)
    form = CallFilter(run, request.GET)
    moment = Coalesce("settled_at", "sent_at")
    calls = (
        Call.objects.filter(run=run, **form.lookups())
        .select_related("alpha", "run_stage")
        .defer("raw_reply", "raw_body")
    )
    ordered = calls.order_by(F("moment").desc(nulls_last=True), "pk")
    page = Paginator(ordered.annotate(moment=moment), CALLS_A_PAGE).get_page(request.GET.get("page"))
    context = {"run": run, "form": form, "page": page, "filtered": bool(form.lookups())}
    return render(request, "generation/run_calls.html", context)


def _by_branch(found: comparison.SideBySide) -> list[tuple[str, list[comparison.Cell]]]:
    """A group for each writer, so that its β, γ and Stephanie are side by side."""
    groups: dict[int, list[comparison.Cell]] = {}
    for cell in found.cells:
        groups.setdefault(cell.writer.branch, []).append(cell)
    return [(cells[0].name, cells) for cells in groups.values()]


def _shown(cell: comparison.Cell) -> dict[str, Any]:
    turns = turns_for_template(cell.dialogue.transcript, NAMES) if cell.dialogue else None
    return {"cell": cell, "turns": turns, "name": cell.version.name}


@require_GET
@requires("generation.view_call", "see calls")
def call_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """What was asked, what came back, and what became of it."""
    call = get_object_or_404(Call.objects.select_related("dialogue", "alpha"), pk=pk)
    with_stages([call])
    rebuilt, proven = rebuild_messages(call)
    # Calls of judges and splitters belong to the dialogue they read, all others to its original.
    subject = getattr(call, call.run.subject_field)
    siblings = (
        Call.objects.filter(run=call.run, **{call.run.subject_field: subject})
        .defer("raw_reply", "raw_body")
        .select_related("run_stage")
        .order_by("depth", "run_stage__branch", "run_stage__edition", "sample", "repair")
    )
    context = {
        "call": call,
        "run": call.run,
        "subject": subject,
        "messages_sent": rebuilt.messages,
        "parameters": rebuilt.parameters,
        "proven": proven,
        "sets": call.run_stage.example_sets.all(),
        "outputs": call.outputs.select_related("dialogue", "version"),
        "background": Background.objects.filter(call=call).first(),
        "is_scored": call.judgements.exists(),
        "siblings": siblings,
    }
    return render(request, "generation/call.html", context)
