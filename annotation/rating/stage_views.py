"""The pages around the items: welcome and consent, practice, rated items, breaks, and withdrawing."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from annotation.models import Assignment, Item, Rating, Study
from annotation.rating import membership_changes, queue, rater_stage
from annotation.rating.access import own_assignment, own_membership
from annotation.rating.blinding import blind_feedback, blind_lessons, blind_rated, blind_study, blind_welcome
from annotation.rating.views import RESTED
from core.numbers import asked_text
from core.permissions import person_of

PAGE = 50


@never_cache
@require_http_methods(["GET", "POST"])
def rate_welcome(request: HttpRequest, token: str) -> HttpResponse:
    """What the study asks and offers; POST agrees to its consent text, if it has one, and begins."""
    membership = own_membership(request.user, token)
    if request.method == "GET":
        return render(request, "rating/welcome.html", {"welcome": blind_welcome(membership)})
    if not membership.study.is_open or not membership.is_ongoing:
        return redirect("rate_next", token)
    try:
        rater_stage.agree(membership=membership, fingerprint=request.POST.get("fingerprint", ""), now=timezone.now())
    except queue.QueueError as error:
        context = {"welcome": blind_welcome(membership), "problem": str(error)}
        return render(request, "rating/welcome.html", context, status=422)
    membership.refresh_from_db()
    if rater_stage.must_practise(membership):
        return redirect("rate_practice", token)
    # Go straight to the first item: `rate_next` would show a new rater this page again.
    first = queue.next_assignment(membership, now=timezone.now())
    return redirect("rate_item", first.token) if first else redirect("rate_next", token)


@require_POST
def rate_decline(request: HttpRequest, token: str) -> HttpResponse:
    """Decline to take part: nothing about the person is kept."""
    try:
        rater_stage.decline(membership=own_membership(request.user, token))
    except queue.QueueError as error:
        messages.error(request, str(error))
        return redirect("rate_welcome", token)
    messages.success(request, _("You do not take part, and nothing about you is kept in this study."))
    return redirect("rate_left")


@never_cache
@require_GET
def rate_left(request: HttpRequest) -> HttpResponse:
    """The page after leaving any study; the message says what became of the scores."""
    return render(request, "rating/left.html")


@never_cache
@require_GET
def rate_rated(request: HttpRequest, token: str) -> HttpResponse:
    """The rater's rated items, newest first."""
    membership = own_membership(request.user, token)
    ratings = (
        Rating.objects.filter(assignment__membership=membership, is_current=True)
        .past_practice()
        .select_related("assignment__item__dialogue", "assignment__item__other")
        .defer("assignment__item__dialogue__messages", "assignment__item__other__messages")
        .prefetch_related("scores")
        .order_by("-assignment__opened_at", "-pk")
    )
    page = Paginator(ratings, PAGE).get_page(request.GET.get("page"))
    first = page.paginator.count - page.start_index() + 1
    rated = blind_rated(membership, list(page.object_list), first)
    return render(request, "rating/rated.html", {"page": page, "rated": rated, "study": rated.study})


@require_POST
def rate_break(request: HttpRequest, token: str) -> HttpResponse:
    """Dismiss the break reminder; the next one comes after the same time again."""
    membership = own_membership(request.user, token)
    request.session[RESTED] = timezone.now().isoformat()
    item = membership.assignments.filter(token=asked_text(request.POST, "item")).first()
    return redirect("rate_item", item.token) if item else redirect("rate_next", token)


@never_cache
@require_http_methods(["GET", "POST"])
def rate_withdraw(request: HttpRequest, token: str) -> HttpResponse:
    """Withdraw from the study for good, after a page that says what becomes of the scores."""
    membership = own_membership(request.user, token)
    context: dict[str, Any] = {"welcome": blind_welcome(membership)}
    if request.method == "GET":
        return render(request, "rating/withdraw.html", context)
    if request.POST.get("sure") != "yes":
        context["problem"] = _("Tick the box if you are sure. Nothing has changed so far.")
        return render(request, "rating/withdraw.html", context, status=422)
    keeps = membership.study.withdrawal == Study.Withdrawal.KEEP
    membership_changes.withdraw(membership=membership, by=person_of(request))
    messages.success(
        request, _("Your scores stay in the study, without your name.") if keeps else _("Your scores are removed.")
    )
    return redirect("rate_left")


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
