"""A study's balance report, as a page and as a file; both are computed when asked for."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from annotation.design.texts import order_plan
from annotation.models import Study
from annotation.monitoring import balance
from annotation.monitoring.balance_tables import balance_tables
from core.downloads import attached
from core.permissions import requires


@require_GET
@requires("annotation.view_study", "see studies")
def study_balance(request: HttpRequest, pk: int) -> HttpResponse:
    """Order plan and seed as they came out."""
    study = _launched(pk)
    found = balance.report(study)
    context = {
        "study": study,
        "report": found,
        "plan": order_plan(study.raters_per_item, compares=study.compares),
        "tables": balance_tables(found, {version.pk: version.symbol for version in study.versions.all()}),
        "unfinished": f"{found.unfinished_blocks:,} not shown to their end" if found.unfinished_blocks else "",
    }
    return render(request, "studies/balance.html", context)


@require_GET
@requires("annotation.view_study", "see studies")
def study_balance_json(request: HttpRequest, pk: int) -> JsonResponse:
    """The same to keep beside a paper."""
    study = _launched(pk)
    response = JsonResponse(balance.report(study).to_json(), json_dumps_params={"indent": 2, "ensure_ascii": False})
    return attached(response, f"study-{study.pk}-balance.json")


def _launched(pk: int) -> Study:
    return get_object_or_404(Study.objects.exclude(state=Study.State.DRAFT), pk=pk)
