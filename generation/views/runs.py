"""Runs: the list, one run's page, its live progress, and the quality of its replies."""

from collections.abc import Callable, Mapping
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.text import slugify
from django.views.decorators.http import require_GET

from core.downloads import TABLE_FORMS, table_file
from core.event_streams import event_stream, event_view
from core.permissions import requires
from core.tables import Table
from dialogues.baseline import without_baseline
from dialogues.models import Dialogue
from generation.forms import BudgetForm
from generation.models import Call, Run
from generation.plans.plan_form import RereadForm
from generation.results.run_quality import quality_of
from generation.results.run_quality_tables import quality_tables
from generation.views.plans import draft
from generation.views.run_actions import fetch_run
from generation.watching import events
from generation.watching.causes import examples_of_failures
from generation.watching.progress import progress_of, progress_of_all

RUNS_A_PAGE = 25
HELD_SHOWN = 20


@require_GET
@requires("generation.view_run", "see runs")
def run_list(request: HttpRequest) -> HttpResponse:
    page = Paginator(Run.objects.listed().select_related("corpus").with_stages(), RUNS_A_PAGE).get_page(
        request.GET.get("page")
    )
    return render(request, "generation/runs.html", {"page": page, "rows": progress_of_all(list(page))})


@require_GET
@requires("generation.view_run", "see runs")
def run_detail(request: HttpRequest, pk: int) -> HttpResponse:
    run = fetch_run(pk)
    if run.state == Run.State.DRAFT:
        return draft(request, run)
    held = Call.objects.filter(run=run, state=Call.State.AMBIGUOUS).select_related("alpha", "run_stage")
    context = {
        "run": run,
        "progress": progress_of(run),
        "held_calls": held.defer("raw_reply", "raw_body").order_by("sent_at", "pk")[:HELD_SHOWN],
        "budget_form": BudgetForm(instance=run),
        "reread_form": RereadForm(initial={"keep_share": run.keep_share}),
        "without_baseline": without_baseline(Dialogue.objects.filter(output__call__run=run)).count(),
    }
    return render(request, "generation/run.html", context)


@event_view
@requires("generation.view_run", "see runs")
def run_events(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """The run's progress, event by event."""
    fetch_run(pk)
    return event_stream(events.stream(pk))


@require_GET
@requires("generation.view_run", "see runs")
def run_quality(request: HttpRequest, pk: int) -> HttpResponse:
    run = fetch_run(pk)
    quality = quality_of([run])
    context = {
        "run": run,
        "progress": progress_of(run),
        "quality": quality,
        "tables": with_links(quality_tables(quality), lambda *place: _table_url(pk, *place)),
        "failures": examples_of_failures(run),
    }
    return render(request, "generation/run_quality.html", context)


@require_GET
@requires("generation.view_run", "see runs")
def run_quality_table(request: HttpRequest, pk: int, slug: str, form: str) -> HttpResponse:
    run = fetch_run(pk)
    table = quality_tables(quality_of([run])).get(slug)
    return table_file(request, table, form, f"{slugify(run.name) or f'run-{pk}'}-{slug}")


def with_links(tables: Mapping[str, Table], url: Callable[[str, str], str]) -> list[dict[str, Any]]:
    """Tables by slug with the address of each of their files; `url` takes slug and form."""
    return [
        {"table": table, "files": {form: url(slug, form) for form in TABLE_FORMS}} for slug, table in tables.items()
    ]


def _table_url(pk: int, slug: str, form: str) -> str:
    return reverse("generation:run_quality_table", args=[pk, slug, form])
