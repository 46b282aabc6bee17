"""Compare models: figures of several writers beside each other, and their dialogues on one background."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from core.downloads import table_file
from core.numbers import whole_number, whole_numbers
from core.permissions import requires
from dialogues.display import turns_for_template
from dialogues.models import Dialogue
from generation.models import Run
from generation.results import comparison
from generation.results.run_quality import quality_of
from generation.results.run_quality_tables import comparison_tables
from generation.views.runs import with_links

NAMES = ("A", "B")
LISTED = 100  # runs to choose from


@require_GET
@requires("generation.view_run", "see runs")
def compare(request: HttpRequest) -> HttpResponse:
    runs, problem = _chosen(request)
    context: dict[str, Any] = {
        "runs": runs,
        "problem": problem,
        "choices": list(comparison.comparable()[:LISTED]),
    }
    if runs:
        shared = request.GET.get("backgrounds") == "shared"
        quality = quality_of(runs, shared_only=shared)
        query = _query(runs, shared=shared)
        context |= {
            "corpus": runs[0].corpus,
            "quality": quality,
            "tables": with_links(comparison_tables(quality), lambda *place: f"{_table_url(*place)}?{query}"),
            "shared": shared,
            "background_links": [
                ("All dialogues", _query(runs, shared=False), not shared),
                ("Shared backgrounds only", _query(runs, shared=True), shared),
            ],
            "beside_url": f"{reverse('generation:compare_dialogues')}?{_query(runs)}",
        }
    return render(request, "generation/compare.html", context)


@require_GET
@requires("generation.view_run", "see runs")
def compare_table(request: HttpRequest, slug: str, form: str) -> HttpResponse:
    runs, _ = _chosen(request)
    if not runs:
        raise Http404("Choose runs of one corpus to compare.")
    shared = request.GET.get("backgrounds") == "shared"
    table = comparison_tables(quality_of(runs, shared_only=shared)).get(slug)
    return table_file(request, table, form, f"compare-runs-{'-'.join(str(run.pk) for run in runs)}-{slug}")


@require_GET
@requires("generation.view_run", "see runs")
def compare_dialogues(request: HttpRequest) -> HttpResponse:
    """One background at a time (`at`: the key of its α): every version by every model, α beside them."""
    runs, problem = _chosen(request)
    alpha = _alpha(request, runs)
    context: dict[str, Any] = {"runs": runs, "problem": problem, "alpha": alpha}
    if alpha is not None:
        found = comparison.side_by_side(runs, alpha)
        by = "model" if request.GET.get("by") == "model" else "version"
        groups = found.by_model() if by == "model" else found.by_version()
        context |= {
            "found": found,
            "by": by,
            "groups": [{"label": label, "cells": [_shown(cell) for cell in cells]} for label, cells in groups],
            "alpha_turns": turns_for_template(alpha.transcript, NAMES),
            "figures_url": f"{reverse('generation:compare')}?{_query(runs)}",
        }
    return render(request, "generation/compare_dialogues.html", context)


def _chosen(request: HttpRequest) -> tuple[list[Run], str]:
    """The runs that `runs` (1,2 or several times over) or `run` names, or none and why."""
    texts = ",".join(request.GET.getlist("runs") + request.GET.getlist("run")).split(",")
    keys = set(whole_numbers(text.strip() for text in texts))
    runs = list(comparison.comparable().filter(pk__in=keys).order_by("pk"))
    if keys and not runs:
        return [], "None of these runs has written anything yet."
    if len({run.corpus_id for run in runs}) > 1:
        return [], "These runs wrote on different corpora. Choose runs of one corpus: only those share backgrounds."
    return runs, ""


def _alpha(request: HttpRequest, runs: Sequence[Run]) -> Dialogue | None:
    if not runs:
        return None
    at = whole_number(request.GET.get("at"))
    if at is not None:
        return get_object_or_404(Dialogue.objects.filter(chosen_by__run__in=runs).distinct(), pk=at)
    first = comparison.first_alpha(runs)
    return None if first is None else Dialogue.objects.get(pk=first)


def _shown(cell: comparison.Cell) -> dict[str, Any]:
    turns = turns_for_template(cell.dialogue.transcript, NAMES) if cell.dialogue else None
    return {"cell": cell, "turns": turns, "name": cell.name}


def _query(runs: Sequence[Run], *, shared: bool = False) -> str:
    asked = {"runs": ",".join(str(run.pk) for run in runs)}
    return urlencode({**asked, "backgrounds": "shared"} if shared else asked, safe=",")


def _table_url(slug: str, form: str) -> str:
    return reverse("generation:compare_table", args=[slug, form])
