"""The two requests of the open editor: store operations, and get proposals.

API tokens are not accepted: people restructure, not scripts. After a session has ended the response is 403 with a
reason.
"""

from datetime import timedelta
from functools import wraps
from typing import Any, cast

from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.people.page_requests import ApiView, page_request
from annotation.restructuring import drafts
from annotation.restructuring.proposals import proposal
from annotation.restructuring.wording import refusal
from dialogues.editing import EditError

MOST_AT_ONCE = 2_000


class SentSerializer(serializers.Serializer[Any]):
    """One operation; `dialogues.editing.operation_from_json` reads its `body`."""

    id = serializers.UUIDField()
    body = serializers.JSONField()
    age = serializers.IntegerField(min_value=0, help_text="Milliseconds since it was done.")


class OperationsSerializer(serializers.Serializer[Any]):
    """Operations based on `version`."""

    version = serializers.IntegerField(min_value=0)
    operations = serializers.ListField(child=SentSerializer(), max_length=MOST_AT_ONCE)


def with_reasons(view: ApiView) -> ApiView:
    """Turn refusals into responses with their reason."""

    @wraps(view)
    def answered(request: Request, token: str) -> Response:
        try:
            return view(request, token)
        except drafts.StaleError as error:
            both = {"version": error.version, "operations": error.operations, "messages": error.messages}
            return Response({"detail": str(error), **both}, status=status.HTTP_409_CONFLICT)
        except EditError as error:
            return Response({"detail": refusal(error)}, status=status.HTTP_400_BAD_REQUEST)
        except drafts.DraftError as error:
            return Response({"detail": str(error)}, status=status.HTTP_400_BAD_REQUEST)

    return answered


@page_request("POST")
@with_reasons
def operations(request: Request, token: str) -> Response:
    """Store operations; responds with the new version, or 409 with what has happened meanwhile."""
    sent = OperationsSerializer(data=request.data)
    sent.is_valid(raise_exception=True)
    draft = drafts.save_operations(
        cast(User, request.user),
        token,
        version=sent.validated_data["version"],
        operations=[_sent(row) for row in sent.validated_data["operations"]],
        now=timezone.now(),
    )
    return Response({"version": draft.version})


@page_request("GET")
@with_reasons
def proposals(request: Request, token: str) -> Response:
    """For each message of the original, the list of texts that `by` proposes."""
    draft = drafts.own_restructuring(cast(User, request.user), token)
    by = request.query_params.get("by", "")
    return Response({"texts": proposal(draft.original, by, cast(User, request.user))})


def _sent(row: dict[str, Any]) -> drafts.Sent:
    # Limit the age: a huge number must not overflow.
    return drafts.Sent(row["id"], row["body"], min(timedelta(milliseconds=min(row["age"], 2**40)), drafts.OLDEST))
