"""The page that asks a tester which of the study's two systems they preferred."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from annotation.models import Membership
from annotation.rating import queue, rater_stage, system_preferences
from annotation.rating.access import own_membership
from annotation.rating.blinding import blind_preference
from core.numbers import asked_text


@never_cache
@require_http_methods(["GET", "POST"])
def rate_preference(request: HttpRequest, token: str) -> HttpResponse:
    """Ask, or take the answer; everything else that is due comes first."""
    membership = own_membership(request.user, token)
    if not _is_asked(membership):
        return redirect("rate_next", token)
    shown = blind_preference(
        membership, system_preferences.met_systems(membership), system_preferences.latest(membership)
    )
    context: dict[str, Any] = {"asked": shown, "study": shown.study, "longest": system_preferences.LONGEST_COMMENT}
    if request.method == "GET":
        return render(request, "rating/preference.html", context)
    said = {name: asked_text(request.POST, name) for name in ("choice", "comment")}
    try:
        system_preferences.record(membership=membership, **said)
    except queue.QueueError as error:
        return render(request, "rating/preference.html", {**context, **said, "problem": str(error)}, status=422)
    messages.success(request, _("Your answer is kept."))
    return redirect("rate_next", token)


def _is_asked(membership: Membership) -> bool:
    """Whether they can answer, and nothing else waits for them."""
    if rater_stage.must_agree(membership) or not system_preferences.can_answer(membership):
        return False
    return queue.next_assignment(membership, now=timezone.now()) is None
