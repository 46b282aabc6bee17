"""The page of a study's checklists, and their files."""

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from annotation.checklists.documents import as_heds_form, as_json, as_markdown, checklists
from annotation.models import Study
from annotation.reports.flow_figure import linked_flow
from annotation.reports.views import file_name, studied
from core.downloads import whole_file
from core.permissions import requires

DRAFT = "Checklists describe a frozen design. Launch the study first."


@require_GET
@requires("annotation.view_study", "read reports")
def study_checklists(request: HttpRequest, pk: int) -> HttpResponse:
    """Both checklists, with the flow of raters and ratings that they rest on."""
    study = studied(pk)
    if study.is_draft:
        messages.error(request, DRAFT)
        return redirect(study)
    context = {"study": study, "checklists": checklists(study), "flow": linked_flow(study)}
    return render(request, "reports/checklists.html", context)


@require_GET
@requires("annotation.view_study", "read reports")
def study_checklists_file(request: HttpRequest, pk: int, form: str) -> HttpResponse:
    """Both as Markdown or JSON, or the datasheet as a file for its own form."""
    study = studied(pk)
    if form not in FILES:
        raise Http404("There is no such file of checklists.")
    if study.is_draft:
        messages.error(request, DRAFT)
        return redirect(study)
    part, extension, write = FILES[form]
    return whole_file(write(study), f"{file_name(study, part)}.{extension}")


FILES: dict[str, tuple[str, str, Callable[[Study], str]]] = {
    "markdown": ("checklists", "md", as_markdown),
    "json": ("checklists", "json", as_json),
    "heds-form": ("heds", "json", as_heds_form),
}
