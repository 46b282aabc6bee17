"""The examples that models are shown, to read: the list of sets, and one set."""

from itertools import groupby

from django.core.paginator import Paginator
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from core.permissions import requires
from dialogues.display import turns_for_template
from dialogues.transcript import Transcript
from generation.curation.provenance import provenance_of, with_provenance
from generation.curation.versions import in_the_way, runs_with
from generation.models import Example, ExampleKind, ExampleSet
from generation.views.curated import fetch_set

SETS_A_PAGE = 40
CAPTIONS = {
    ExampleKind.SINGLE_STEP: "What models are told not to write: every reply in one message.",
    ExampleKind.STEP_BY_STEP: "What models are asked to write: several short messages in a row.",
    ExampleKind.FURTHER_SPLIT: "Step-by-step dialogues, and what a person made of them.",
}


@require_GET
@requires("generation.view_exampleset", "see example sets")
def example_sets(request: HttpRequest) -> HttpResponse:
    """Every version, those of one name together."""
    search, kind = request.GET.get("q", "").strip(), request.GET.get("kind", "")
    rows = _found(search, kind).annotate(size=Count("examples", distinct=True)).select_related("created_by")
    rows = rows.annotate(run_count=Count("run_stages__run", distinct=True)).order_by("kind", "name", "-version")
    page = Paginator(rows, SETS_A_PAGE).get_page(request.GET.get("page"))
    groups = [
        {"label": ExampleKind(kind).label, "caption": CAPTIONS[ExampleKind(kind)], "names": _by_name(list(found))}
        for kind, found in groupby(page, key=lambda row: row.kind)
    ]
    context = {"page": page, "groups": groups, "search": search, "kind": kind, "kinds": ExampleKind.choices}
    return render(request, "generation/example_sets.html", context)


@require_GET
@requires("generation.view_exampleset", "see example sets")
def example_set(request: HttpRequest, pk: int) -> HttpResponse:
    row = fetch_set(pk)
    examples = [_shown(example) for example in with_provenance(row)]
    others = ExampleSet.objects.listed().filter(name=row.name, kind=row.kind).exclude(pk=row.pk)
    context = {
        "set": row,
        "examples": examples,
        "runs": runs_with(row),
        "others": others,
        "in_the_way": in_the_way(row),
        "may_change": row.frozen_at is None and request.user.has_perm("generation.change_exampleset"),
    }
    return render(request, "generation/example_set.html", context)


def _found(search: str, kind: str) -> QuerySet[ExampleSet]:
    rows = ExampleSet.objects.listed()
    if search and "\x00" not in search:
        rows = rows.filter(name__icontains=search)
    return rows.filter(kind=kind) if kind in ExampleKind.values else rows


def _by_name(rows: list[ExampleSet]) -> list[dict[str, object]]:
    """The versions of each name, newest first as they come."""
    return [{"name": name, "versions": list(found)} for name, found in groupby(rows, key=lambda row: row.name)]


def _shown(example: Example) -> dict[str, object]:
    after = example.messages_after
    return {
        "example": example,
        "turns": turns_for_template(Transcript.of(example.messages)),
        "turns_after": turns_for_template(Transcript.of(after)) if after else None,
        "provenance": provenance_of(example),
    }
