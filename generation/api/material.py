"""What a run is made from, to read: corpora, endpoints without their keys, example sets, prompts."""

from typing import Any

from django.db.models import Count, Q
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from dialogues.models import Corpus
from generation.api.common import asked, endpoint, page_of, paged
from generation.models import Endpoint, Example, ExampleKind, ExampleSet, Prompt, Stage
from generation.plans.schema import Strict
from generation.serializers import ExampleSetSerializer, PromptSerializer


class CorpusSerializer(serializers.ModelSerializer[Corpus]):
    originals = serializers.IntegerField(help_text="Dialogues that people wrote (α).")
    generated = serializers.IntegerField(help_text="Versions written from them.")

    class Meta:
        model = Corpus
        fields = ("id", "name", "originals", "generated", "created_at")


class EndpointSerializer(serializers.ModelSerializer[Endpoint]):
    has_key = serializers.BooleanField(help_text="Whether a key is stored for the address; it never leaves.")

    class Meta:
        model = Endpoint
        fields = (
            "id", "name", "base_url", "model", "has_key", "price_in", "price_out", "max_in_flight",
            "requests_per_minute", "tokens_per_minute", "timeout_seconds", "blocked_until", "checked_at",
            "check_passed", "check_result", "is_demo", "structured_output", "supports_batch", "batch_price_share",
            "delimiter", "reply_mode",
        )  # fmt: skip


class ExampleSerializer(serializers.ModelSerializer[Example]):
    class Meta:
        model = Example
        fields = ("position", "topic", "theme", "traits_1", "traits_2", "messages", "messages_after", "note")


class ExampleSetDetailSerializer(ExampleSetSerializer):
    examples = ExampleSerializer(many=True)

    class Meta(ExampleSetSerializer.Meta):
        fields = (*ExampleSetSerializer.Meta.fields, "examples")  # type: ignore[assignment]


class KindQuery(Strict):
    kind = serializers.ChoiceField(choices=ExampleKind.choices, required=False)


class StageQuery(Strict):
    stage = serializers.ChoiceField(choices=Stage.choices, required=False)


class NoQuery(Strict):
    """Takes no filter."""


@extend_schema(operation_id="corpora_list", responses=page_of(CorpusSerializer, "Corpora"))
@endpoint("GET", may="dialogues.view_corpus", to="see corpora")
def corpus_list(request: Request) -> Response:
    """Corpora with how many dialogues they have."""
    asked(request, NoQuery)
    original = Count("dialogues", filter=Q(dialogues__origin__isnull=True))
    generated = Count("dialogues", filter=Q(dialogues__origin__isnull=False))
    return paged(request, Corpus.objects.listed().annotate(originals=original, generated=generated), CorpusSerializer)


@extend_schema(operation_id="endpoint_list", responses=page_of(EndpointSerializer, "Endpoints"))
@endpoint("GET", may="generation.view_endpoint", to="see endpoints")
def endpoint_list(request: Request) -> Response:
    """Endpoints with price, limits and what the last check found."""
    asked(request, NoQuery)
    return paged(request, Endpoint.objects.all(), EndpointSerializer)


@extend_schema(
    operation_id="example_set_list", parameters=[KindQuery], responses=page_of(ExampleSetSerializer, "ExampleSets")
)
@endpoint("GET", may="generation.view_exampleset", to="see example sets")
def example_set_list(request: Request) -> Response:
    """Every version of every example set."""
    return paged(request, ExampleSet.objects.listed().filter(**asked(request, KindQuery)), ExampleSetSerializer)


@extend_schema(operation_id="example_set", responses=ExampleSetDetailSerializer)
@endpoint("GET", may="generation.view_exampleset", to="see example sets")
def example_set(request: Request, pk: int) -> Response:
    """One version of an example set with its examples."""
    row: Any = get_object_or_404(ExampleSet.objects.prefetch_related("examples"), pk=pk)
    return Response(ExampleSetDetailSerializer(row).data)


@extend_schema(operation_id="prompt_list", parameters=[StageQuery], responses=page_of(PromptSerializer, "Prompts"))
@endpoint("GET", may="generation.view_exampleset", to="see prompts")
def prompt_list(request: Request) -> Response:
    """Every version of every prompt, with its text."""
    return paged(request, Prompt.objects.kept().filter(**asked(request, StageQuery)), PromptSerializer)
