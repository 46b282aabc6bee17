"""A rater's studies, their current item with its form for browsers without scripts, and the end.

Membership decides who may open a page, in the same query that fetches the row; everyone else gets 404.
"""

import uuid
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop
from django.views.decorators.cache import never_cache
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from annotation.chats import places
from annotation.models import Assignment, Item, Membership, Study
from annotation.people.page_requests import page_person
from annotation.rating import queue, rater_stage, system_preferences
from annotation.rating.access import own_assignment, own_membership
from annotation.rating.answers import DAMAGED, FLAGS, Answer, AnswerError, read_answer
from annotation.rating.api import next_address
from annotation.rating.blinding import blind_end, blind_item, blind_study
from annotation.rating.rater_stage import break_due
from core.numbers import whole_numbers
from core.permissions import requires
from core.script_words import sentences_for_scripts

# The session key for when the rater last dismissed a break reminder.
RESTED = "rested_at"


@never_cache
@require_GET
@requires("annotation.add_rating", "rate dialogues")
def rate(request: HttpRequest) -> HttpResponse:
    """The rater's studies with their progress."""
    mine = Membership.objects.present().filter(rater_id=request.user.pk)
    joined = mine.exclude(study__state=Study.State.DRAFT).select_related("study").order_by("-pk")
    return render(request, "rating/studies.html", {"studies": [blind_study(membership) for membership in joined]})


@never_cache
@require_GET
def rate_next(request: HttpRequest, token: str) -> HttpResponse:
    """Go to what comes next: the welcome page, practice, or an item; or say why there is none."""
    membership = own_membership(request.user, token)
    now = timezone.now()
    assignment = None
    if membership.study.is_open and membership.is_ongoing:
        if rater_stage.must_agree(membership) or rater_stage.is_new(membership):
            return redirect("rate_welcome", token)
        if rater_stage.must_practise(membership):
            return redirect("rate_practice", token)
        assignment = queue.next_assignment(membership, now=now)
    if assignment is not None:
        return redirect("rate_item", assignment.token)
    end = blind_end(membership, others_hold_slots=queue.others_hold_slots(membership), now=now)
    if end.has_done_theirs and system_preferences.is_due(membership):
        return redirect("rate_preference", token)
    has_preferred = system_preferences.latest(membership) is not None and system_preferences.can_answer(membership)
    return render(request, "rating/done.html", {"end": end, "study": end.study, "has_preferred": has_preferred})


@never_cache
@gzip_page
@require_http_methods(["GET", "POST"])
def rate_item(request: HttpRequest, token: str) -> HttpResponse:
    """One blind item and its form; POST serves browsers without scripts."""
    assignment = own_assignment(request.user, token)
    membership = holder(assignment)
    if not membership.is_ongoing or rater_stage.must_agree(membership):
        return redirect("rate_next", membership.token)
    if request.method == "POST":
        return _submitted(request, assignment)
    if assignment.study.is_open and places.is_due(assignment):
        return redirect("rate_chat", token)
    now = timezone.now()
    if assignment.study.is_open:
        queue.show(assignment, now=now)
    return render(request, "rating/item.html", _page(request, assignment, now))


@require_POST
def rate_skip(request: HttpRequest, token: str) -> HttpResponse:
    """Skip the item, with a reason, and go on."""
    assignment = own_assignment(request.user, token)
    form = SkipForm(request.POST)
    problem = None if form.is_valid() else _("Choose a reason for skipping.")
    if assignment.item.purpose == Item.Purpose.TRAINING:
        problem = _("Practice dialogues cannot be skipped. Any scores will do; you will see what was expected.")
        if assignment.study.least_passed is not None:
            problem = _("Practice dialogues cannot be skipped: your first scores count towards the pass mark.")
    if problem is None:
        try:
            queue.skip(request.user, token, reason=form.cleaned_data["reason"])
        except queue.QueueError as error:
            problem = str(error)
    if problem is not None:
        messages.error(request, problem)
        return redirect("rate_item", token)
    return redirect("rate_next", holder(assignment).token)


@require_POST
def rate_undo(request: HttpRequest, token: str) -> HttpResponse:
    """Undo the submit of an item and show it again with its scores."""
    assignment = own_assignment(request.user, token)
    if not rater_stage.can_take_back(assignment, now=timezone.now()):
        if assignment.state == Assignment.State.SUBMITTED:
            messages.info(request, _("It is too late to undo this. You can still change the scores and save them."))
        return redirect("rate_item", token)
    try:
        queue.take_back(request.user, token, now=timezone.now())
        messages.success(request, _("Taken back. Change what you like and submit again."))
    except queue.QueueError as error:
        messages.error(request, str(error))
    return redirect("rate_item", token)


def _submitted(request: HttpRequest, assignment: Assignment) -> HttpResponse:
    now = timezone.now()
    try:
        submission_id, answer = SubmissionForm(request.POST, assignment=assignment).read()
        _keep_what_is_there(assignment, answer)
        submission = queue.submit(request.user, assignment.token, submission_id=submission_id, answer=answer, now=now)
    except (AnswerError, queue.QueueError) as error:
        context = {**_page(request, assignment, now), "problem": str(error)}
        return render(request, "rating/item.html", context, status=422)
    return redirect(next_address(submission.rating.assignment))


def _keep_what_is_there(assignment: Assignment, answer: Answer) -> None:
    """Keep the posted choices for showing an incomplete form again: without a script the page would lose them."""
    assignment.draft = answer.to_json()


def holder(assignment: Assignment) -> Membership:
    """Whose it is; `assignment` comes from `own_assignment`."""
    if assignment.membership is None:
        raise ValueError("a slot that nobody holds has no page")
    return assignment.membership


def _page(request: HttpRequest, assignment: Assignment, now: datetime) -> dict[str, Any]:
    membership = holder(assignment)
    rested = request.session.get(RESTED)
    since = datetime.fromisoformat(rested) if rested else None
    return {
        "item": blind_item(assignment, membership, now=now),
        # The class, not a form: the template makes one only if the fragment with it is not cached.
        "skip_form": SkipForm,
        "page_person": page_person(request.user),
        "words": script_words(),
        "break_minutes": break_due(membership, since=since, now=now),
    }


REASONS = {
    **FLAGS,
    "cannot-judge": gettext_noop("I cannot judge it"),
    "technical": gettext_noop("It is not shown properly"),
}


class SkipForm(forms.Form):
    """Why a rater skips an item."""

    reason = forms.ChoiceField(
        label=gettext_lazy("Why do you skip it?"),
        choices=[(reason, gettext_lazy(words)) for reason, words in REASONS.items()],
    )


class SubmissionForm:
    """A posted rating form: for each metric a radio group `score-<metric>`, a note and message numbers."""

    def __init__(self, data: Any, *, assignment: Assignment) -> None:
        self.data = data
        self.assignment = assignment
        self.keys = [metric.key for metric in assignment.item.asked(assignment.study.rubric)]

    def read(self) -> tuple[uuid.UUID, Answer]:
        """The submission id and the answer so far; raises AnswerError."""
        try:
            submission_id = uuid.UUID(self.data.get("submission_id", ""))
            scores = {key: int(self.data[f"score-{key}"]) for key in self.keys if self.data.get(f"score-{key}")}
        except ValueError as error:
            raise AnswerError(str(DAMAGED)) from error
        sent = {
            "scores": scores,
            "comment": self.data.get("comment", ""),
            "flag": self.data.get("flag", ""),
            "comments": {key: self.data.get(f"comment-{key}", "") for key in self.keys},
            "evidence": {key: _places(self.data.get(f"evidence-{key}", "")) for key in self.keys},
        }
        return submission_id, read_answer(self.assignment, sent)


def _places(numbers: str) -> list[int]:
    """Places, from 0, for message numbers as people write them: “3, 5 8”."""
    words = numbers.replace(",", " ").split()
    found = whole_numbers(words)
    if len(found) < len(words):
        reason = _("Name messages by their numbers, such as 3, 5: %(numbers)s is not that.")
        raise AnswerError(reason % {"numbers": repr(numbers[:40])})
    return [number - 1 for number in found]


# static/js/rating*.js
SAID_BY_SCRIPTS = (
    gettext_noop("Saved"),
    gettext_noop("Sending…"),
    gettext_noop("Choose a point for {name}."),
    gettext_noop("The server cannot keep this."),
    gettext_noop("Not saved yet: you are logged out. Log in in another tab; this page then sends your scores."),
    gettext_noop("Not saved yet, retrying"),
    gettext_noop("Comment"),
    gettext_noop("Flag"),
    gettext_noop("{question}: note"),
    gettext_noop("{question}: messages"),
    gettext_noop(": written"),
    gettext_noop(": {count} marked"),
    gettext_noop(": written, {count} marked"),
    gettext_noop("Message {number}, mark for {question}"),
    gettext_noop("Messages that led to your score for {question}: {count} marked"),
    gettext_noop("Message {number} marked for {question}."),
    gettext_noop("Message {number} no longer marked for {question}."),
    gettext_noop("Marking messages for {question}. Arrows or numbers choose, Space marks, Escape ends."),
)


def script_words() -> dict[str, Any]:
    """The sentences of the rating page's scripts, in the page's language."""
    return sentences_for_scripts(SAID_BY_SCRIPTS)
