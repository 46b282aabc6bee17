"""What a page shows of a study's analysis plan, and the plan as files for registries."""

from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.text import slugify
from django.views.decorators.http import require_GET

from annotation.design.plan_record import NoPlanError, hash_of_plan, is_as_launched, plan_document
from annotation.design.plan_text import Part, in_words, texts
from annotation.models import Study
from core.downloads import whole_file
from core.permissions import requires


@dataclass(frozen=True, slots=True)
class PlanShown:
    """The plan in words, its SHA-256 as stored now, and whether that is the one of the launch."""

    parts: list[Part]
    sha256: str
    is_as_launched: bool


def plan_shown(study: Study) -> PlanShown | None:
    """None without a plan."""
    if not study.analysis_plan:
        return None
    return PlanShown(in_words(plan_document(study)), hash_of_plan(study), is_as_launched(study))


@require_GET
@requires("annotation.view_study", "see studies")
def study_plan_json(request: HttpRequest, pk: int) -> HttpResponse:
    """The document whose SHA-256 the launch records."""
    return _file(pk, "json")


@require_GET
@requires("annotation.view_study", "see studies")
def study_plan_text(request: HttpRequest, pk: int, form: str) -> HttpResponse:
    """The plan as text, `form` being one of `plan_text.FORMS`."""
    return _file(pk, form)


def _file(pk: int, form: str) -> HttpResponse:
    study = get_object_or_404(Study.objects.select_related("corpus", "rubric"), pk=pk)
    try:
        written = texts(plan_document(study)).get(form)
    except NoPlanError as error:
        raise Http404(str(error)) from error
    if written is None:
        raise Http404("A plan has no such form.")
    name = f"{slugify(study.name)[:60] or 'study'}-plan"
    return whole_file(written, f"{name}.json" if form == "json" else f"{name}-{form}.txt")
