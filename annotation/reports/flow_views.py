"""The flow of raters and ratings as a figure and a table. It names no version, so a blind study shows it too."""

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from annotation.design.flow import flow_of
from annotation.reports.flow_figure import SLUG, flow_spec, flow_table
from annotation.reports.views import file_name, studied
from core.downloads import TABLE_FORMS, inline, table_file, whole_file
from core.permissions import requires
from dialogues.charts import FILE_FORMATS, THEMES, FileFormat, ThemeName, on_paper, rendered


@require_GET
@requires("annotation.view_study", "read reports")
def study_flow(request: HttpRequest, pk: int, form: str) -> HttpResponse:
    """The table as a file, or the figure: without a background, or with `?download` in light colours on white."""
    study = studied(pk)
    if form in TABLE_FORMS:
        return table_file(request, flow_table(study, flow_of(study)), form, file_name(study, SLUG))
    known: dict[str, FileFormat] = {one: one for one in FILE_FORMATS}
    if form not in known:
        raise Http404("The flow has no such form.")
    theme: ThemeName = "dark" if request.GET.get("theme") == "dark" else "light"
    spec = flow_spec(study, flow_of(study), THEMES[theme])
    if "download" not in request.GET:
        return inline(rendered(spec, known[form])[0], form)
    content, _ = rendered(on_paper(spec, THEMES[theme]), known[form])
    return whole_file(content, f"{file_name(study, SLUG)}.{form}")
