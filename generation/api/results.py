"""What a run made, as lines of JSON that are written out as they are read, and how good it is, in figures."""

from collections.abc import Iterator

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from core.downloads import JSON_LINES
from core.streaming import joined
from dialogues.models import Version
from generation.api.common import endpoint, read
from generation.api.runs import found_run
from generation.plans.schema import Strict, refuse_unknown
from generation.results import exporting
from generation.results.run_quality import quality_of
from generation.results.run_quality_tables import quality_json

LINES = {(200, "application/x-ndjson"): OpenApiTypes.STR}


class ComparisonQuery(Strict):
    runs = serializers.RegexField(
        r"^[0-9]{1,18}(,[0-9]{1,18}){0,19}$", help_text="Numbers of runs of one corpus, with commas between."
    )
    shared_only = serializers.BooleanField(
        default=False, help_text="Only backgrounds on which every writer has written everything."
    )


@extend_schema(
    operation_id="run_outputs",
    parameters=[OpenApiParameter("version", OpenApiTypes.STR, many=True, description="Like stephanie; default: all.")],
    responses=LINES,
)
@endpoint("GET", may="generation.view_run", to="see runs")
def run_outputs(request: Request, pk: int) -> StreamingHttpResponse:
    """Every dialogue that the run wrote, one JSON object a line, in the form that `corpus import` reads."""
    run, versions = found_run(pk), request.query_params.getlist("version")
    refuse_unknown(request.query_params, ["version"])
    known = set(Version.objects.values_list("pk", flat=True))
    if not set(versions) <= known:
        raise ValidationError({"version": [f"Available: {', '.join(sorted(known))}."]})
    return _answer(exporting.output_lines(run, versions))


@extend_schema(operation_id="run_judgements", responses=LINES)
@endpoint("GET", may="generation.view_run", to="see runs")
def run_judgements(request: Request, pk: int) -> StreamingHttpResponse:
    """Every score that the run's judges gave, one JSON object a line."""
    return _answer(exporting.judgement_lines(found_run(pk)))


@extend_schema(operation_id="run_quality", responses=OpenApiTypes.OBJECT)
@endpoint("GET", may="generation.view_run", to="see runs")
def run_quality(request: Request, pk: int) -> Response:
    """Outcomes of every stage and writer, words a message, ACMC, turns by length, content kept."""
    return Response(quality_json(quality_of([found_run(pk)])))


@extend_schema(operation_id="comparison", parameters=[ComparisonQuery], responses=OpenApiTypes.OBJECT)
@endpoint("GET", may="generation.view_run", to="see runs")
def comparison(request: Request) -> Response:
    """The same figures for the writers of several runs, side by side."""
    wanted = read(ComparisonQuery, request.query_params.dict())
    runs = [found_run(int(pk)) for pk in dict.fromkeys(wanted["runs"].split(","))]
    if len({run.corpus_id for run in runs}) > 1:
        raise ValidationError({"runs": ["These runs are from different corpora. Choose runs from one corpus."]})
    return Response(quality_json(quality_of(runs, shared_only=wanted["shared_only"])))


def _answer(lines: Iterator[str]) -> StreamingHttpResponse:
    return StreamingHttpResponse(joined(lines), content_type=JSON_LINES)
