"""A rater's pages: their studies, the item in front of them, and the end.

Who may open them is decided by membership, in one query with the row itself: everyone else gets 404.
"""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from annotation.api import next_address
from annotation.blinding import blind_item, blind_study
from annotation.models import Assignment, Membership, Study
from annotation.rating import queue
from annotation.rating.answers import Answer, AnswerError
from annotation.rating.forms import SkipForm, SubmissionForm
from dialogues.permissions import requires


@never_cache
@require_GET
@requires("annotation.add_rating", "rate dialogues")
def rate(request: HttpRequest) -> HttpResponse:
    """The rater's studies, each with how far they are."""
    mine = Membership.objects.filter(rater_id=request.user.pk, withdrawn_at__isnull=True)
    joined = mine.exclude(study__state=Study.State.DRAFT).select_related("study").order_by("-pk")
    return render(request, "rating/studies.html", {"studies": [blind_study(membership) for membership in joined]})


@never_cache
@require_GET
def rate_next(request: HttpRequest, token: str) -> HttpResponse:
    """Go to the next item, or say why there is none."""
    membership = queue.own_membership(request.user, token)
    assignment = queue.next_assignment(membership, now=timezone.now())
    if assignment is not None:
        return redirect("rate_item", assignment.token)
    skipped = membership.assignments.filter(state=Assignment.State.SKIPPED, study__raters_per_item__isnull=True)
    rated = membership.assignments.filter(state=Assignment.State.SUBMITTED)
    last = rated.order_by("-opened_at").first()
    context = {
        "study": blind_study(membership),
        "skipped": list(skipped.values_list("token", flat=True)),
        "last_token": last.token if last else None,
        "others_hold_places": queue.others_hold_places(membership),
    }
    return render(request, "rating/done.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
def rate_item(request: HttpRequest, token: str) -> HttpResponse:
    """One blind item and its form; POST is the way without a script."""
    assignment = queue.own_assignment(request.user, token)
    if request.method == "POST":
        return _submitted(request, assignment)
    if assignment.study.is_open:
        queue.show(assignment, now=timezone.now())
    return render(request, "rating/item.html", _page(assignment))


@require_POST
def rate_skip(request: HttpRequest, token: str) -> HttpResponse:
    """Put the item aside with a reason and go on."""
    assignment = queue.own_assignment(request.user, token)
    form = SkipForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose a reason for skipping.")
        return redirect("rate_item", token)
    try:
        queue.skip(request.user, token, reason=form.cleaned_data["reason"])
    except queue.QueueError as error:
        messages.error(request, str(error))
        return redirect("rate_item", token)
    return redirect("rate_next", _membership(assignment).token)


def _submitted(request: HttpRequest, assignment: Assignment) -> HttpResponse:
    form = SubmissionForm(request.POST, rubric=assignment.study.rubric)
    try:
        submission_id, answer = form.read()
        _keep_what_is_there(assignment, answer)
        submission = queue.submit(
            request.user, assignment.token, submission_id=submission_id, answer=answer, now=timezone.now()
        )
    except (AnswerError, queue.QueueError) as error:
        context = {**_page(assignment), "problem": str(error)}
        return render(request, "rating/item.html", context, status=422)
    return redirect(next_address(submission.rating.assignment))


def _keep_what_is_there(assignment: Assignment, answer: Answer) -> None:
    """Show an incomplete form again with what was chosen in it; the page has no script to remember it."""
    assignment.draft = answer.to_json()


def _page(assignment: Assignment) -> dict[str, Any]:
    return {"item": blind_item(assignment, _membership(assignment)), "skip_form": SkipForm()}


def _membership(assignment: Assignment) -> Membership:
    if assignment.membership is None:
        raise ValueError("a place that nobody holds has no page")
    return assignment.membership
