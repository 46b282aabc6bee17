"""A study's balance report as a file."""

from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from annotation.models import Study
from annotation.studies import balance
from dialogues.permissions import requires


@require_GET
@requires("annotation.view_study", "see studies")
def study_balance(request: HttpRequest, pk: int) -> JsonResponse:
    """Order plan and seed as they came out, computed when asked for."""
    found = get_object_or_404(Study.objects.exclude(state=Study.State.DRAFT), pk=pk)
    response = JsonResponse(balance.report(found).to_json(), json_dumps_params={"indent": 2, "ensure_ascii": False})
    response["Content-Disposition"] = f'attachment; filename="study-{found.pk}-balance.json"'
    return response
