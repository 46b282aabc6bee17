"""A frozen design: its page, its files, and making its next version."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.text import slugify
from django.views.decorators.http import require_GET, require_POST

from annotation.design import files
from annotation.design.drafting import DesignError
from annotation.design.methods import methods_text
from annotation.design.next_version import next_version
from annotation.models import Item, Study
from annotation.rating.rater_stage import consent_fingerprint
from core.acting import person_of
from core.downloads import whole_file
from core.permissions import requires


@require_GET
@requires("annotation.view_study", "see studies")
def study_design(request: HttpRequest, pk: int) -> HttpResponse:
    """Everything that launch froze; a draft redirects to its steps."""
    study = _found(pk)
    if study.is_draft:
        return redirect("study_step", pk, "basics")
    rows = study.items.exclude(purpose=Item.Purpose.RATED).select_related("dialogue__version", "other__version")
    context = {
        "study": study,
        "versions": study.versions.all(),
        "checks": sorted(rows.order_by("position"), key=lambda item: Item.Purpose.values.index(item.purpose)),
        "questions": {metric.key: metric.name for metric in study.rubric.metric_list()},
        "methods": methods_text(study),
        "consent_sha256": consent_fingerprint(study),
    }
    return render(request, "studies/design.html", context)


@require_GET
@requires("annotation.view_study", "see studies")
def study_design_json(request: HttpRequest, pk: int) -> HttpResponse:
    study = _found(pk)
    return whole_file(files.exported(study), f"{_file_name(study)}.json")


@require_GET
@requires("annotation.view_study", "see studies")
def study_methods(request: HttpRequest, pk: int) -> HttpResponse:
    """The methods text of a launched study; a draft has none yet."""
    study = _found(pk)
    if study.is_draft:
        messages.error(request, "The methods text describes a frozen design. Launch the study first.")
        return redirect(study)
    return whole_file(methods_text(study), f"{_file_name(study)}-methods.txt")


@require_POST
@requires("annotation.add_study", "set up studies")
def study_next(request: HttpRequest, pk: int) -> HttpResponse:
    study = _found(pk)
    try:
        draft = next_version(study=study, by=person_of(request))
    except DesignError as error:
        messages.error(request, str(error))
        return redirect(study)
    messages.success(request, "This is the next version of the design. The launched one stays as it is.")
    return redirect(draft)


def _found(pk: int) -> Study:
    return get_object_or_404(Study.objects.select_related("corpus", "rubric", "previous"), pk=pk)


def _file_name(study: Study) -> str:
    return slugify(study.name)[:60] or "study"
