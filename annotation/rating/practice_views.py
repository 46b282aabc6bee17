"""Practice before rating: each training item, then the expected scores beside the rater's."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from annotation.models import Assignment, Item
from annotation.rating import queue, rater_stage
from annotation.rating.access import own_assignment, own_membership
from annotation.rating.blinding import blind_feedback, blind_lessons, blind_study


@never_cache
@require_http_methods(["GET", "POST"])
def rate_practice(request: HttpRequest, token: str) -> HttpResponse:
    """Go to the next practice dialogue; after the last, list all of them. POST starts the rating."""
    membership = own_membership(request.user, token)
    if rater_stage.must_agree(membership) or not membership.is_ongoing or not membership.has_practice:
        return redirect("rate_next", token)
    if request.method == "POST":
        try:
            rater_stage.finish_practice(membership=membership, now=timezone.now())
        except queue.QueueError as error:
            messages.error(request, str(error))
            return redirect("rate_practice", token)
        return redirect("rate_next", token)
    lessons = rater_stage.lessons(membership)
    waiting = next((lesson for lesson in lessons if lesson.state == Assignment.State.OPEN), None)
    if waiting is not None and membership.study.is_open:
        return redirect("rate_item", waiting.token)
    context = {
        "study": blind_study(membership),
        "lessons": blind_lessons(lessons),
        "is_trained": membership.trained_at is not None,
    }
    return render(request, "rating/practice.html", context)


@never_cache
@require_GET
def rate_feedback(request: HttpRequest, token: str) -> HttpResponse:
    """The expected scores of a practice dialogue; other items have no such page."""
    assignment = own_assignment(request.user, token)
    membership = assignment.membership
    if membership is None or assignment.item.purpose != Item.Purpose.TRAINING:
        raise Http404("Only practice dialogues have feedback.")
    rating = assignment.ratings.filter(is_current=True).prefetch_related("scores").first()
    if rating is None:
        return redirect("rate_item", token)
    lessons = blind_lessons(rater_stage.lessons(membership))
    context = {"feedback": blind_feedback(assignment, membership, rating), "lessons": lessons}
    context["is_last"] = all(lesson.is_done for lesson in lessons)
    return render(request, "rating/feedback.html", context)
