"""The quality page of a run: problems of replies, lengths and turns beside the paper's, content kept."""

from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.text import slugify
from django.views.decorators.http import require_GET

from core.downloads import TABLE_FORMS, table_file
from core.permissions import requires
from core.tables import Table
from generation.results.run_quality import quality_of
from generation.results.run_quality_tables import quality_tables
from generation.views.run_actions import fetch_run
from generation.watching.causes import examples_of_failures
from generation.watching.progress import progress_of


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
    return [{"table": table, **{form: url(slug, form) for form in TABLE_FORMS}} for slug, table in tables.items()]


def _table_url(pk: int, slug: str, form: str) -> str:
    return reverse("generation:run_quality_table", args=[pk, slug, form])
