"""The examples that models are shown, to read."""

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from dialogues.display import turns_for_template
from dialogues.permissions import requires
from dialogues.transcript import Transcript
from generation.models import Example, ExampleKind, ExampleSet

CAPTIONS = {
    ExampleKind.SINGLE_STEP: "What models are told not to write: every reply in one message.",
    ExampleKind.STEP_BY_STEP: "What models are asked to write: several short messages in a row.",
    ExampleKind.FURTHER_SPLIT: "Step-by-step dialogues, and what a person made of them.",
}


@require_GET
@requires("generation.view_exampleset", "see example sets")
def example_sets(request: HttpRequest) -> HttpResponse:
    sets = list(ExampleSet.objects.listed().annotate(size=Count("examples")))
    groups = [
        {"label": kind.label, "caption": CAPTIONS[kind], "sets": [row for row in sets if row.kind == kind]}
        for kind in ExampleKind
    ]
    return render(request, "generation/example_sets.html", {"groups": groups if sets else []})


@require_GET
@requires("generation.view_exampleset", "see example sets")
def example_set(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(ExampleSet, pk=pk)
    shown = [_shown(example) for example in row.examples.all()]
    return render(request, "generation/example_set.html", {"set": row, "examples": shown})


def _shown(example: Example) -> dict[str, object]:
    after = example.messages_after
    return {
        "example": example,
        "turns": turns_for_template(Transcript.of(example.messages)),
        "turns_after": turns_for_template(Transcript.of(after)) if after else None,
    }
