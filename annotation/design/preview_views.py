"""A draft as raters will see it: consent, training, dialogues, checks."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from annotation.design.preview import Preview, preview, preview_check
from annotation.design.selection import select
from annotation.models import Item, Study
from core.numbers import whole_number
from core.permissions import requires

PARTS = {
    "welcome": "Before it begins",
    Item.Purpose.TRAINING: "Training",
    "items": "Dialogues",
    Item.Purpose.GOLD: "Gold",
    Item.Purpose.ATTENTION: "Attention checks",
}


@require_GET
@requires("annotation.view_study", "see studies")
def study_preview(request: HttpRequest, pk: int) -> HttpResponse:
    """What raters see, part by part; for a launched study, its frozen items."""
    study = get_object_or_404(Study.objects.select_related("rubric", "corpus"), pk=pk)
    part = request.GET.get("part", "items")
    part = part if part in PARTS else "items"
    context: dict[str, Any] = {
        "study": study,
        "part": part,
        "parts": [(slug, str(title)) for slug, title in PARTS.items()],
        "shown": _shown(study, part, whole_number(request.GET.get("number")) or 0),
        "empty": EMPTY.get(part, ""),
    }
    return render(request, "studies/preview.html", context)


EMPTY = {
    "items": "No background has every chosen version, so there is nothing to rate yet.",
    Item.Purpose.TRAINING: "This study has no training items: raters begin with what counts.",
    Item.Purpose.GOLD: "This study has no gold items.",
    Item.Purpose.ATTENTION: "This study has no attention checks.",
}


def _shown(study: Study, part: str, number: int) -> Preview | None:
    if part == "welcome":
        return None
    if part != "items":
        return preview_check(study, part, number)
    return preview(study, select(study), number) if study.is_draft else preview_check(study, Item.Purpose.RATED, number)
