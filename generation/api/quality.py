"""How good what models wrote is: the figures of the quality page and of the comparison."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from generation.api.door import Strict, door, read
from generation.api.runs import found_run
from generation.results.run_quality import quality_of
from generation.results.run_quality_json import quality_json


class ComparisonQuery(Strict):
    runs = serializers.RegexField(
        r"^[0-9]{1,18}(,[0-9]{1,18}){0,19}$", help_text="Numbers of runs of one corpus, with commas between."
    )
    shared_only = serializers.BooleanField(
        default=False, help_text="Only backgrounds on which every writer has written everything."
    )


@extend_schema(operation_id="run_quality", responses=OpenApiTypes.OBJECT)
@door("GET", may="generation.view_run", to="see runs")
def run_quality(request: Request, pk: int) -> Response:
    """Outcomes of every stage and writer, words a message, ACMC, turns by length, content kept."""
    return Response(quality_json(quality_of([found_run(pk)])))


@extend_schema(operation_id="comparison", parameters=[ComparisonQuery], responses=OpenApiTypes.OBJECT)
@door("GET", may="generation.view_run", to="see runs")
def comparison(request: Request) -> Response:
    """The same figures for the writers of several runs, side by side."""
    wanted = read(ComparisonQuery, request.query_params.dict())
    runs = [found_run(int(pk)) for pk in dict.fromkeys(wanted["runs"].split(","))]
    if len({run.corpus_id for run in runs}) > 1:
        raise ValidationError({"runs": ["These runs are of different corpora. Choose runs of one."]})
    return Response(quality_json(quality_of(runs, shared_only=wanted["shared_only"])))
