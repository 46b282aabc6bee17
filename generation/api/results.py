"""What a run made, as lines of JSON that are written out as they are read."""

from collections.abc import Iterator

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from core.downloads import JSON_LINES
from dialogues.models import Version
from generation.api.door import door, refuse_unknown
from generation.api.runs import found_run
from generation.results import exporting

LINES = {(200, "application/x-ndjson"): OpenApiTypes.STR}


@extend_schema(
    operation_id="run_outputs",
    parameters=[OpenApiParameter("version", OpenApiTypes.STR, many=True, description="Like stephanie; default: all.")],
    responses=LINES,
)
@door("GET", may="generation.view_run", to="see runs")
def run_outputs(request: Request, pk: int) -> StreamingHttpResponse:
    """Every dialogue that the run wrote, one JSON object a line, in the form that `corpus import` reads."""
    run, versions = found_run(pk), request.query_params.getlist("version")
    refuse_unknown(request.query_params, ["version"])
    known = set(Version.objects.values_list("pk", flat=True))
    if not set(versions) <= known:
        raise ValidationError({"version": [f"There is: {', '.join(sorted(known))}."]})
    return _answer(exporting.output_lines(run, versions))


@extend_schema(operation_id="run_judgements", responses=LINES)
@door("GET", may="generation.view_run", to="see runs")
def run_judgements(request: Request, pk: int) -> StreamingHttpResponse:
    """Every score that the run's judges gave, one JSON object a line."""
    return _answer(exporting.judgement_lines(found_run(pk)))


def _answer(lines: Iterator[str]) -> StreamingHttpResponse:
    return StreamingHttpResponse(exporting.joined(lines), content_type=JSON_LINES)
