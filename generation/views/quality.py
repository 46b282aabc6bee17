"""The quality page of a run: what was wrong with replies, lengths and turns beside the paper's, content kept."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.text import slugify
from django.views.decorators.http import require_GET

from dialogues.permissions import requires
from dialogues.tables import Table, to_csv, to_latex
from generation.models import Run
from generation.results.quality import quality_of
from generation.results.quality_tables import quality_tables
from generation.watching.failures import examples_of_failures
from generation.watching.progress import progress_of

FORMS = {"csv": (to_csv, "text/csv; charset=utf-8"), "tex": (to_latex, "application/x-tex; charset=utf-8")}


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
            {"table": table, **{form: reverse("generation:run_quality_table", args=[pk, slug, form]) for form in FORMS}}
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
    return as_file(table, form, f"{slugify(run.name) or f'run-{pk}'}-{slug}")


def as_file(table: Table | None, form: str, stem: str) -> HttpResponse:
    """The table to keep, as `csv` or `tex`; 404 where there is none or the form is another."""
    if table is None or form not in FORMS:
        raise Http404("There is no such table.")
    write, content_type = FORMS[form]
    response = HttpResponse(write(table), content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{stem}.{form}"'
    return response


def _run(pk: int) -> Run:
    return get_object_or_404(Run.objects.with_stages().select_related("corpus"), pk=pk)
