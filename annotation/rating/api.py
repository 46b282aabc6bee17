"""The two requests of an open rating page: store a draft, submit an answer.

The responses contain only plain values that the rater sent or may see. After a session has ended the response is 403
with a reason, never a log-in page that a script would take for success. API tokens are not accepted: people rate, not
scripts.
"""

from functools import wraps
from typing import Any

from django.http import Http404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.models import Assignment, Item
from annotation.people.page_requests import ApiView, page_request
from annotation.rating import queue
from annotation.rating.access import own_assignment, own_membership
from annotation.rating.answers import DAMAGED, Answer, AnswerError, read_answer, shown_answer


class Text(serializers.CharField):
    """Any text; `read_answer` refuses unfit text, with a reason for the rater."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_blank=True, trim_whitespace=False, **options)
        self.validators = []


class AnswerSerializer(serializers.Serializer[Any]):
    """An answer about an item; `read_answer` reads it further."""

    scores = serializers.DictField(child=serializers.IntegerField())
    comment = Text(default="")
    flag = serializers.CharField(allow_blank=True, default="")
    comments = serializers.DictField(child=Text(), default=dict)
    evidence = serializers.DictField(child=serializers.ListField(child=serializers.IntegerField()), default=dict)


class DraftSerializer(AnswerSerializer):
    """Unfinished scores, based on draft `version`."""

    version = serializers.IntegerField(min_value=0)


class SubmissionSerializer(AnswerSerializer):
    """A complete answer, with the id that identifies repeats."""

    submission_id = serializers.UUIDField()


# Made once, because making a serializer copies all its fields; they keep no state between requests.
DRAFT, SUBMISSION = DraftSerializer(), SubmissionSerializer()


def with_reasons(view: ApiView) -> ApiView:
    """Turn the queue's refusals into responses with their reason."""

    @wraps(view)
    def answered(request: Request, token: str) -> Response:
        try:
            return view(request, token)
        except Http404:
            return Response({"detail": _why_gone(request)}, status=status.HTTP_404_NOT_FOUND)
        except serializers.ValidationError as error:
            return Response({"detail": DAMAGED, "fields": error.detail}, status=status.HTTP_400_BAD_REQUEST)
        except AnswerError as error:
            return Response({"detail": str(error)}, status=status.HTTP_400_BAD_REQUEST)
        except queue.StaleDraftError as error:
            draft = shown_answer(own_assignment(request.user, token), Answer.from_draft(error.draft))
            both = {"detail": str(error), "draft": draft.to_json(), "version": error.version}
            return Response(both, status=status.HTTP_409_CONFLICT)
        except queue.QueueError as error:
            return Response({"detail": str(error)}, status=status.HTTP_409_CONFLICT)

    return answered


@page_request("POST")
@with_reasons
def draft(request: Request, token: str) -> Response:
    """Store a draft; responds with its new version, or 409 with the newer draft that exists."""
    sent = DRAFT.run_validation(request.data)
    version = queue.save_draft(request.user, token, version=sent["version"], answer=_reader(sent), now=timezone.now())
    return Response({"version": version})


@page_request("POST")
@with_reasons
def submit(request: Request, token: str) -> Response:
    """Store a rating; a repeat responds with the first one's id. `next` is the address to continue at."""
    sent = SUBMISSION.run_validation(request.data)
    submission = queue.submit(
        request.user, token, submission_id=sent["submission_id"], answer=_reader(sent), now=timezone.now()
    )
    kept = {"id": str(submission.rating.submission_id), "repeated": submission.repeated}
    return Response({**kept, "next": next_address(submission.rating.assignment)})


def next_address(assignment: Assignment) -> str:
    """Where this rater continues: their next item, or the page that finds it or says why there is none."""
    membership = assignment.membership
    if membership is None:
        raise ValueError("a slot that nobody holds has no next page")
    if assignment.item.purpose == Item.Purpose.TRAINING:
        return reverse("rate_feedback", args=[assignment.token])
    following = queue.go_on(assignment, now=timezone.now())
    return reverse("rate_item", args=[following.token]) if following else reverse("rate_next", args=[membership.token])


def _why_gone(request: Request) -> str:
    """Why the page's item is no longer this rater's; the page names its study in the query."""
    try:
        own_membership(request.user, request.query_params.get("study", ""))
    except Http404:
        return _("You are no longer in this study, so nothing more can be kept.")
    return _("This dialogue went to another rater after an hour without a sign. Go on with the next one.")


def _reader(data: dict[str, Any]) -> queue.Said:
    return lambda assignment: read_answer(assignment, data)
