"""Training runs for scripts: a trainer on another machine makes one and reports what it does."""

from typing import Any

from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers, status
from rest_framework.decorators import parser_classes
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from core.json_bodies import JSONLinesParser, PatientJSONParser
from core.permissions import refuse_without
from generation.api.common import asked, endpoint, page_of, paged, read
from generation.models import TrainingRun, TrainingSet
from generation.plans.schema import Strict
from generation.training.events import Event, EventError, EventKind
from generation.training.launching import CannotTrainError, create_run
from generation.training.reporting import EVENTS_AT_ONCE, MOST_EVENTS, record
from generation.training.run_progress import progress_of


class TrainingRunSerializer(serializers.ModelSerializer[TrainingRun]):
    training_set = serializers.CharField(help_text="Its name and version.")
    data_sha256 = serializers.CharField(source="training_set.sha256", help_text="Of the set's examples.")
    created_by = serializers.CharField(allow_null=True)
    endpoint = serializers.CharField(allow_null=True, help_text="Where the tuned model answers, once it is registered.")

    class Meta:
        model = TrainingRun
        fields = (
            "id", "name", "state", "problem", "training_set", "data_sha256", "base", "base_licence", "method", "step",
            "steps", "folder", "endpoint", "created_by", "created_at", "started_at", "finished_at", "told_at",
        )  # fmt: skip


class TrainingRunDetailSerializer(TrainingRunSerializer):
    progress = serializers.SerializerMethodField(help_text="What `training runs --json` prints.")

    class Meta(TrainingRunSerializer.Meta):
        fields = (*TrainingRunSerializer.Meta.fields, "progress", "parameters", "checked")  # type: ignore[assignment]

    def get_progress(self, run: TrainingRun) -> dict[str, Any]:
        return progress_of(run).as_json()


class TrainingRunPlan(Strict):
    set = serializers.IntegerField(min_value=1, max_value=2**63 - 1, help_text="The number of a built training set.")
    base = serializers.CharField(max_length=300, help_text="A model's name on a hub, or its folder.")
    method = serializers.ChoiceField(choices=TrainingRun.Method.choices, default=TrainingRun.Method.LORA)
    name = serializers.CharField(max_length=120, required=False, help_text="Default: made of base and set.")
    base_licence = serializers.CharField(max_length=120, required=False, help_text="The licence of the base model.")


class TrainingRunQuery(Strict):
    state = serializers.ChoiceField(choices=TrainingRun.State.choices, required=False)


class EventSerializer(serializers.Serializer[Any]):
    """One event, for the schema. Further keys depend on its kind."""

    number = serializers.IntegerField(min_value=1, max_value=MOST_EVENTS, help_text="From 1, without gaps.")
    at = serializers.DateTimeField(help_text="With its time zone.")
    kind = serializers.ChoiceField(choices=[(kind.value, kind.value) for kind in EventKind])


STORED = inline_serializer(
    "Stored",
    {
        "stored": serializers.IntegerField(help_text="The number up to which no event is missing: go on behind it."),
    },
)


@extend_schema(
    methods=["GET"],
    operation_id="training_run_list",
    parameters=[TrainingRunQuery],
    responses=page_of(TrainingRunSerializer, "TrainingRuns"),
)
@extend_schema(
    methods=["POST"],
    operation_id="training_run_create",
    request=TrainingRunPlan,
    responses={201: TrainingRunSerializer, 200: TrainingRunSerializer},
)
@endpoint("GET", "POST", may="generation.view_trainingrun", to="see training runs")
def training_run_list(request: Request) -> Response:
    """All training runs, the newest first; or a new one, which waits for what its trainer reports.

    Asked twice for the same run before anything was reported, it is made once.
    """
    if request.method == "POST":
        refuse_without(request, "generation.add_trainingrun", "make training runs")
        run, is_new = _created(request)
        answer = TrainingRunSerializer(found_training_run(run.pk)).data
        return Response(answer, status=status.HTTP_201_CREATED if is_new else status.HTTP_200_OK)
    rows = TrainingRun.objects.select_related("training_set", "created_by", "endpoint")
    return paged(request, rows.filter(**asked(request, TrainingRunQuery)), TrainingRunSerializer)


@extend_schema(operation_id="training_run", responses=TrainingRunDetailSerializer)
@endpoint("GET", may="generation.view_trainingrun", to="see training runs")
def training_run_detail(request: Request, pk: int) -> Response:
    """One training run with its progress, settings and check."""
    return Response(TrainingRunDetailSerializer(found_training_run(pk)).data)


@extend_schema(
    operation_id="training_run_events", request=EventSerializer(many=True), responses={200: STORED},
)  # fmt: skip
@endpoint("POST", may="generation.change_trainingrun", to="report on training runs")
@parser_classes([PatientJSONParser, JSONLinesParser])
def training_run_events(request: Request, pk: int) -> Response:
    """Store what a trainer reports: a JSON list, or one JSON object a line as application/x-ndjson.

    At most 1,000 events at once. What was stored before is passed over, so a trainer may send again whatever it is not
    sure of.
    """
    run = found_training_run(pk)
    try:
        stored = record(run, _events(request.data))
    except EventError as error:
        raise ValidationError({"detail": [f"{str(error)[:1].upper()}{str(error)[1:]}."]}) from error
    return Response({"stored": stored})


def found_training_run(pk: int) -> TrainingRun:
    """Raises NotFound."""
    rows = TrainingRun.objects.select_related("training_set__corpus", "created_by", "endpoint")
    run = rows.filter(pk=pk).first()
    if run is None:
        raise NotFound(f"There is no training run {pk}.")
    return run


def _created(request: Request) -> tuple[TrainingRun, bool]:
    wanted = read(TrainingRunPlan, request.data)
    number = wanted.pop("set")
    training_set = TrainingSet.objects.select_related("corpus").filter(pk=number).first()
    if training_set is None:
        raise ValidationError({"set": [f"There is no training set {number}."]})
    try:
        return create_run(training_set=training_set, **wanted, by=request.user)
    except CannotTrainError as error:
        raise ValidationError({error.field: [str(error)]}) from error


def _events(data: Any) -> list[Event]:
    """Raises EventError."""
    if not isinstance(data, list):
        raise EventError("send a JSON list of events, or one JSON object a line as application/x-ndjson")
    if len(data) > EVENTS_AT_ONCE:
        raise EventError(f"{len(data):,} events are too many at once; send at most {EVENTS_AT_ONCE:,}")
    return [Event.of(fields) for fields in data]
