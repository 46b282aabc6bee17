"""Judge runs from a script, and what judges said. A planned judge run is started and read as any other run."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from dialogues.models import Corpus
from generation.api.common import endpoint, read
from generation.api.runs import IDEMPOTENCY_KEY, RunSerializer, found_run, made_once
from generation.judgements import judge_input
from generation.judgements.judge_input import JudgePlan
from generation.judgements.judge_plan import versions_left_out
from generation.judgements.loading import findings_of
from generation.judgements.tables import as_json
from generation.models import Run, Stage
from generation.plans.schema import Strict


class JudgeRunSerializer(RunSerializer):
    left_out = serializers.SerializerMethodField(help_text="Versions it leaves out because few backgrounds have them.")

    class Meta(RunSerializer.Meta):
        fields = (*RunSerializer.Meta.fields, "left_out")  # type: ignore[assignment]

    def get_left_out(self, run: Run) -> list[str]:
        return versions_left_out(run)


class ReportQuery(Strict):
    corpus = serializers.CharField(help_text="Its name.")
    runs = serializers.RegexField(
        r"^[0-9]{1,18}(,[0-9]{1,18}){0,19}$", required=False, help_text="Only these judge runs, with commas between."
    )


@extend_schema(
    operation_id="judge_run_create",
    request=JudgePlan,
    responses={201: JudgeRunSerializer, 200: JudgeRunSerializer},
    parameters=[IDEMPOTENCY_KEY],
)
@endpoint("POST", may="generation.add_run", to="plan runs")
def judge_run_create(request: Request) -> Response:
    """A judge run as a draft; nothing is sent until it is started."""
    run, is_new = made_once(request, lambda: judge_input.create(read(JudgePlan, request.data), by=request.user))
    answer = JudgeRunSerializer(found_run(run.pk)).data
    return Response(answer, status=status.HTTP_201_CREATED if is_new else status.HTTP_200_OK)


@extend_schema(operation_id="judge_report", parameters=[ReportQuery], responses=OpenApiTypes.OBJECT)
@endpoint("GET", may="generation.view_run", to="see what judges said")
def judge_report(request: Request) -> Response:
    """Mean scores with intervals by judge, writer and version, differences from β, spread over repeats, failures."""
    wanted = read(ReportQuery, request.query_params.dict())
    corpus = Corpus.objects.listed().filter(name=wanted["corpus"]).first()
    if corpus is None:
        raise ValidationError({"corpus": [f"There is no corpus {wanted['corpus']!r}."]})
    return Response(as_json(findings_of(corpus, _judge_runs(corpus, wanted.get("runs", "")))))


def _judge_runs(corpus: Corpus, text: str) -> list[Any]:
    keys = {int(pk) for pk in text.split(",") if pk}
    runs = list(Run.objects.with_stages().filter(pk__in=keys, corpus=corpus, stages=[Stage.JUDGE]))
    missing = sorted(keys - {run.pk for run in runs})
    if missing:
        raise ValidationError({"runs": [f"Run {missing[0]} is not a judge run of {corpus}."]})
    return runs
