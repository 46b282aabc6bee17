"""The quality page of a run: problems of replies, lengths and turns beside the paper's, content kept."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.text import slugify
from django.views.decorators.http import require_GET

from core.downloads import TABLE_FORMS, table_file
from core.permissions import requires
from generation.models import Run
from generation.results.run_quality import quality_of
from generation.results.run_quality_tables import quality_tables
from generation.watching.causes import examples_of_failures
from generation.watching.progress import progress_of


@require_GET
@requires("generation.view_run", "see runs")
def run_quality(request: HttpRequest, pk: int) -> HttpResponse:
    run = _run(pk)
    quality = quality_of([run])
    context = {
        "run": run,
        "progress": progress_of(run),
        "quality": quality,
        "tables": [
            {"table": table, **{form: _table_url(pk, slug, form) for form in TABLE_FORMS}}
            for slug, table in quality_tables(quality).items()
        ],
        "failures": examples_of_failures(run),
    }
    return render(request, "generation/run_quality.html", context)


@require_GET
@requires("generation.view_run", "see runs")
def run_quality_table(request: HttpRequest, pk: int, slug: str, form: str) -> HttpResponse:
    run = _run(pk)
    table = quality_tables(quality_of([run])).get(slug)
    return table_file(request, table, form, f"{slugify(run.name) or f'run-{pk}'}-{slug}")


def _table_url(pk: int, slug: str, form: str) -> str:
    return reverse("generation:run_quality_table", args=[pk, slug, form])


def _run(pk: int) -> Run:
    return get_object_or_404(Run.objects.with_stages().select_related("corpus"), pk=pk)
