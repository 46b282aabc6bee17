"""A run's calls, and one of them with all that was sent and came back."""

from typing import Any

from django.db.models import Q
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from generation.api.common import Strict, asked, endpoint, page_of, paged
from generation.api.runs import MessageSerializer, found_run
from generation.engine.requests import rebuild_messages, with_stages
from generation.models import Call, Stage

COLUMNS = {
    "stage": "stage",
    "state": "state",
    "outcome": "outcome",
    "branch": "run_stage__branch",
    "edition": "run_stage__edition",
    "dialogue": "alpha__key",
}
# In the question as in the command's options; a note tells what to know about how a reply was read.
NOTED = {True: ~Q(note=""), False: Q(note=""), None: Q()}


class CallQuery(Strict):
    stage = serializers.ChoiceField(choices=Stage.choices, required=False)
    state = serializers.ChoiceField(choices=Call.State.choices, required=False)
    outcome = serializers.CharField(required=False, max_length=40, help_text="Like ok, truncated, unparsable.")
    branch = serializers.IntegerField(required=False, min_value=0)
    edition = serializers.IntegerField(required=False, min_value=1)
    dialogue = serializers.CharField(required=False, help_text="The key of the original.")
    noted = serializers.BooleanField(
        required=False, allow_null=True, default=None, help_text="Whether a note tells how the reply was read."
    )


class CallSerializer(serializers.ModelSerializer[Call]):
    dialogue = serializers.CharField(source="alpha.key", help_text="The key of the original.")
    branch = serializers.IntegerField(source="run_stage.branch")
    edition = serializers.IntegerField(source="run_stage.edition")
    model = serializers.CharField(source="run_stage.model")

    class Meta:
        model = Call
        fields = (
            "id", "run", "stage", "branch", "edition", "model", "dialogue", "sample", "repair", "state", "outcome",
            "error", "note", "tries", "refusals", "replaced", "prompt_tokens", "completion_tokens", "cost",
            "finish_reason", "is_demo", "sent_at", "settled_at",
        )  # fmt: skip


class CallDetailSerializer(CallSerializer):
    outputs = serializers.SlugRelatedField[Any](slug_field="dialogue_id", many=True, read_only=True)
    messages = MessageSerializer(many=True)
    parameters = serializers.DictField()
    proven = serializers.BooleanField(help_text="Whether these messages hash to what the ledger says was sent.")

    class Meta(CallSerializer.Meta):
        fields = (  # type: ignore[assignment]
            *CallSerializer.Meta.fields, "reply_model", "raw_reply", "raw_body", "outputs", "messages", "parameters",
            "proven",
        )  # fmt: skip


@extend_schema(operation_id="call_list", parameters=[CallQuery], responses=page_of(CallSerializer, "Calls"))
@endpoint("GET", may="generation.view_call", to="see calls")
def call_list(request: Request, pk: int) -> Response:
    """A run's calls, the newest first, without their texts."""
    wanted = asked(request, CallQuery)
    noted = NOTED[wanted.pop("noted")]
    columns = {COLUMNS[name]: value for name, value in wanted.items()}
    rows = found_run(pk).calls.filter(noted, **columns).select_related("alpha", "run_stage")
    return paged(request, rows.defer("raw_reply", "raw_body", "alpha__messages"), CallSerializer)


@extend_schema(operation_id="call", responses=CallDetailSerializer)
@endpoint("GET", may="generation.view_call", to="see calls")
def call_detail(request: Request, pk: int) -> Response:
    """One call: what was sent, the raw reply, what became of it."""
    call = detailed(pk)
    if call is None:
        raise NotFound(f"There is no call {pk}.")
    return Response(CallDetailSerializer(call).data)


def detailed(pk: int) -> Any:
    """The call with the messages and parameters that were or will be sent, rebuilt; None where there is none."""
    call: Any = Call.objects.select_related("alpha", "dialogue").prefetch_related("outputs").filter(pk=pk).first()
    if call is not None:
        with_stages([call])
        sent, call.proven = rebuild_messages(call)
        call.messages, call.parameters = sent.messages, sent.parameters
    return call
