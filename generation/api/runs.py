"""Runs and their calls: list and read them, plan a run (asking twice makes one), and what it would send and cost."""

import hashlib
import json
from collections.abc import Callable
from typing import Any, cast

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from core.permissions import refuse_without
from dialogues.models import Dialogue
from generation.api.common import asked, endpoint, page_of, paged, read
from generation.engine import lifecycle
from generation.models import AskedRun, Call, Run, RunStage, Stage
from generation.plans import plan_input
from generation.plans.plan_input import RunPlan
from generation.plans.run_plan import PlanError
from generation.plans.schema import Strict
from generation.serializers import (
    COLUMNS,
    NOTED,
    CallDetailSerializer,
    CallSerializer,
    EstimateSerializer,
    PreviewSerializer,
    detailed,
    estimate_of,
    previewed,
)
from generation.watching.progress import progress_of

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key", location="header", description="Your own name for this plan: a repeat finds its run."
)


class Conflict(APIException):
    """What was asked cannot be, as things are now; the text says what to do."""

    status_code = status.HTTP_409_CONFLICT


def planned(request: Request) -> tuple[Run, bool]:
    """The run that this request asks for, and whether it is new; raises ValidationError or Conflict."""
    return made_once(request, lambda: plan_input.create(read(RunPlan, request.data), by=request.user))


def made_once(request: Request, make: Callable[[], Run]) -> tuple[Run, bool]:
    """The run that `make` makes, and whether it is new.

    A repeat with the same `Idempotency-Key` header gets the first one's run, even if both are sent at the same moment.
    Raises ValidationError or Conflict.
    """
    key, user = request.headers.get("Idempotency-Key", ""), cast(User, request.user)
    if len(key) > AskedRun.LONGEST_KEY:
        raise ValidationError(f"An Idempotency-Key has at most {AskedRun.LONGEST_KEY} letters.")
    question = json.dumps([request.path, request.data], sort_keys=True)
    body = hashlib.sha256(question.encode()).hexdigest()
    if key and (found := _asked(user, key, body)):
        return found, False
    try:
        with transaction.atomic():
            run = make()
            if key:
                AskedRun.objects.create(user=user, key=key, body_sha256=body, run=run)
    except PlanError as error:
        raise ValidationError({error.field or "detail": [str(error)]}) from error
    except IntegrityError:
        # Another request with the same key was faster; this one was rolled back.
        first = _asked(user, key, body)
        if first is None:
            raise
        return first, False
    return run, True


def _asked(user: User, key: str, body_sha256: str) -> Run | None:
    row = AskedRun.objects.select_related("run").filter(user=user, key=key).first()
    if row is None:
        return None
    if row.body_sha256 != body_sha256:
        raise Conflict(f"This Idempotency-Key made run {row.run_id} from another plan. Use a new key for a new plan.")
    return row.run


class RunStageSerializer(serializers.ModelSerializer[RunStage]):
    endpoint = serializers.CharField()
    examples = serializers.ListField(
        child=serializers.CharField(), source="set_names", help_text="The sets that it shows: kind, name and version."
    )

    class Meta:
        model = RunStage
        fields = ("stage", "branch", "edition", "endpoint", "model", "parameters", "prompt", "example_sets", "examples")


class RunSerializer(serializers.ModelSerializer[Run]):
    corpus = serializers.CharField()
    created_by = serializers.CharField(allow_null=True)
    run_stages = RunStageSerializer(source="rows", many=True)
    rubric = serializers.SlugRelatedField[Any](
        slug_field="slug", read_only=True, allow_null=True, help_text="Of judge runs; null of others."
    )

    # The model's own field, being read only, would not say that it can be empty.
    pause_cause = serializers.ChoiceField(
        choices=Run.PauseCause.choices, allow_blank=True, read_only=True, help_text="Empty where it is not paused."
    )

    class Meta:
        model = Run
        fields = (
            "id", "name", "state", "state_reason", "pause_cause", "corpus", "stages", "run_stages", "dialogue_count",
            "examples_left_out",
            "seed", "keep_share", "rubric", "repeats", "tidy_display",
            "ambiguous_policy", "budget", "token_budget", "spent", "reserved",
            "tokens_spent", "tokens_reserved", "created_by", "created_at", "started_at", "finished_at",
        )  # fmt: skip


class RunDetailSerializer(RunSerializer):
    progress = serializers.SerializerMethodField(help_text="What `run status --json` prints.")

    class Meta(RunSerializer.Meta):
        fields = (*RunSerializer.Meta.fields, "progress")  # type: ignore[assignment]

    def get_progress(self, run: Run) -> dict[str, Any]:
        return progress_of(run).as_json()


class RunQuery(Strict):
    state = serializers.ChoiceField(choices=Run.State.choices, required=False)
    corpus = serializers.CharField(required=False, help_text="Its name.")


class PreviewQuery(Strict):
    dialogue = serializers.CharField(required=False, help_text="Its key; default: the first chosen.")


def found_run(pk: int) -> Run:
    """The run with its stages; raises NotFound."""
    run = Run.objects.select_related("corpus", "created_by", "rubric").with_stages().filter(pk=pk).first()
    if run is None:
        raise NotFound(f"There is no run {pk}.")
    return run


@extend_schema(
    methods=["GET"], operation_id="run_list", parameters=[RunQuery], responses=page_of(RunSerializer, "Runs")
)
@extend_schema(
    methods=["POST"],
    operation_id="run_create",
    request=RunPlan,
    responses={201: RunSerializer, 200: RunSerializer},
    parameters=[IDEMPOTENCY_KEY],
)
@endpoint("GET", "POST", may="generation.view_run", to="see runs")
def run_list(request: Request) -> Response:
    """All runs, the newest first; or a new one, as a draft that sends nothing until it is started."""
    if request.method == "POST":
        refuse_without(request, "generation.add_run", "plan runs")
        run, is_new = planned(request)
        answer = RunSerializer(found_run(run.pk)).data
        return Response(answer, status=status.HTTP_201_CREATED if is_new else status.HTTP_200_OK)
    wanted = asked(request, RunQuery)
    names = {"state": "state", "corpus": "corpus__name"}
    rows = Run.objects.listed().select_related("corpus", "created_by", "rubric").with_stages()
    return paged(request, rows.filter(**{names[name]: value for name, value in wanted.items()}), RunSerializer)


@extend_schema(operation_id="run", responses=RunDetailSerializer)
@endpoint("GET", may="generation.view_run", to="see runs")
def run_detail(request: Request, pk: int) -> Response:
    """One run with its progress; ask again every few seconds to watch it."""
    return Response(RunDetailSerializer(found_run(pk)).data)


@extend_schema(
    operation_id="run_preview",
    parameters=[PreviewQuery],
    responses=PreviewSerializer(many=True),
)
@endpoint("GET", may="generation.view_run", to="see runs")
def run_preview(request: Request, pk: int) -> Response:
    """The exact messages of every stage for one of the run's dialogues."""
    run, key = _usable_run(pk), asked(request, PreviewQuery).get("dialogue", "")
    dialogue = None
    if key:
        dialogue = Dialogue.objects.filter(chosen_by__run=run, key=key).first()
        if dialogue is None:
            raise NotFound(f"The run has no dialogue {key!r}. Leave it out to see the first.")
    return Response(PreviewSerializer(previewed(run, dialogue), many=True).data)


@extend_schema(operation_id="run_estimate", responses=EstimateSerializer)
@endpoint("GET", may="generation.view_run", to="see runs")
def run_estimate(request: Request, pk: int) -> Response:
    """Calls, tokens and price, stage by stage and in total."""
    return Response(EstimateSerializer(estimate_of(_usable_run(pk))).data)


def _usable_run(pk: int) -> Run:
    """The run; raises Conflict where no request can be made of one of its prompts."""
    run = found_run(pk)
    if problems := lifecycle.prompt_problems(run):
        raise Conflict(" ".join(problems))
    return run


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
