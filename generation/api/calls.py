"""A run's calls, and one of them with all that was sent and came back."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from generation.api.common import asked, endpoint, page_of, paged
from generation.api.runs import found_run
from generation.models import Call, Stage
from generation.plans.schema import Strict
from generation.serializers import COLUMNS, NOTED, CallDetailSerializer, CallSerializer, detailed


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
