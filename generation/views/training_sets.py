"""Training sets: list, choose and preview, build, read, stop, delete."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.numbers import whole_number
from core.permissions import person_of, requires
from dialogues.models import Corpus
from dialogues.sources import Sources
from generation.judgements.forms import CorpusForm
from generation.models import TrainingSet
from generation.training import build_jobs, tasks
from generation.training.building import SetInUseError, build, delete_set, next_version
from generation.training.examples import rendered
from generation.training.lineage import lineage_of
from generation.training.recipe import Recipe, RecipeError
from generation.training.recipe_words import facts_of
from generation.training.set_form import TrainingSetForm
from generation.training.showing import shown
from generation.training.surveying import survey

SETS_A_PAGE = 40
# A preview renders so many dialogues at most; filters count all of them.
PREVIEWED = 5000


@require_GET
@requires("generation.view_trainingset", "see training sets")
def training_sets(request: HttpRequest) -> HttpResponse:
    rows = TrainingSet.objects.select_related("corpus", "created_by")
    page = Paginator(rows, SETS_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "generation/training_sets.html", {"page": page})


@require_http_methods(["GET", "POST"])
@requires("generation.add_trainingset", "build training sets")
def training_set_new(request: HttpRequest) -> HttpResponse:
    """For the corpus of the address; without one, the question which. Its form previews, and the preview builds."""
    chosen = CorpusForm(request.GET)
    if not chosen.is_valid():
        corpus_form = CorpusForm() if Corpus.objects.listed().exists() else None
        return render(request, "generation/training_set_new.html", {"corpus_form": corpus_form})
    corpus = chosen.cleaned_data["corpus"]
    form = TrainingSetForm(request.POST or None, corpus=corpus, sources=Sources.of(dict(request.GET.lists())))
    if request.method == "POST" and "change" not in request.POST and form.is_valid():
        try:
            return _built(request, form) if "build" in request.POST else _preview(request, form)
        except RecipeError as refused:
            form.add_refusal(refused)
    context = {"form": form, "corpus": corpus}
    return render(request, "generation/training_set_new.html", context, status=422 if form.errors else 200)


def _preview(request: HttpRequest, form: TrainingSetForm) -> HttpResponse:
    """All that building would do; raises RecipeError."""
    recipe, name = form.recipe(), form.cleaned_data["name"]
    found = survey(recipe, form.corpus, most=PREVIEWED)
    context = {
        "form": form,
        "corpus": form.corpus,
        "name": name,
        "version": next_version(name),
        "facts": facts_of(recipe, form.corpus),
        "system": recipe.system,
        "found": found,
        "planned": len(found.chosen.planned),
        "counts": found.counts(),
        "examples": [shown(one, recipe.delimiter) for one in found.first],
    }
    return render(request, "generation/training_preview.html", context)


def _built(request: HttpRequest, form: TrainingSetForm) -> HttpResponse:
    """Build it here or have a worker do it; raises RecipeError."""
    recipe, name = form.recipe(), form.cleaned_data["name"]
    # The version that the preview promised, so that a second click finds the first one's set.
    promised = whole_number(request.POST.get("version")) or 0
    version = promised if 0 < promised <= next_version(name) else None
    asked: dict[str, Any] = {"by": person_of(request), "version": version}
    if build_jobs.is_large(recipe):
        return redirect(build_jobs.ordered(recipe, name, wake=tasks.wake_builder, **asked))
    return redirect(build(recipe, name, **asked))


@require_GET
@requires("generation.view_trainingset", "see training sets")
def training_set(request: HttpRequest, pk: int) -> HttpResponse:
    """The set; while it is being built the page asks again how far it is."""
    row = get_object_or_404(TrainingSet.objects.select_related("corpus", "created_by"), pk=pk)
    if request.headers.get("HX-Request") and row.state == TrainingSet.State.BUILDING:
        return render(request, "generation/_training_building.html", {"set": row})
    recipe = Recipe.of(row.recipe)
    context: dict[str, Any] = {"set": row, "facts": facts_of(recipe, row.corpus), "system": recipe.system}
    if row.is_built:
        items = row.items.select_related("dialogue__version", "worse__version")
        page = Paginator(items, 1).get_page(request.GET.get("page"))
        context |= {
            "counts": row.counts,
            "page": page,
            "item": page[0],
            "examples": [shown(one, recipe.delimiter) for one in rendered(page[0], recipe)],
            "runs": row.runs.all(),
            "lineage": lineage_of(row),
            "later": TrainingSet.objects.filter(name=row.name, version__gt=row.version).order_by("-version").first(),
        }
    return render(request, "generation/training_set.html", context)


@require_POST
@requires("generation.change_trainingset", "stop building training sets")
def training_set_stop(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(TrainingSet, pk=pk)
    if not build_jobs.stop(row):
        messages.info(request, f"{row} was no longer being built.")
        return redirect(row)
    messages.success(request, f"Stopped building {row}. Nothing of it was kept.")
    return redirect("generation:training_sets")


@require_http_methods(["GET", "POST"])
@requires("generation.change_trainingset", "delete training sets")
def training_set_delete(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(TrainingSet.objects.select_related("corpus"), pk=pk)
    used_by = list(row.runs.all())
    if request.method == "POST":
        try:
            delete_set(row, by=person_of(request))
        except SetInUseError as refused:
            messages.error(request, str(refused))
            return redirect(row)
        messages.success(request, f"Deleted the training set {row}.")
        return redirect("generation:training_sets")
    return render(request, "generation/training_set_delete.html", {"set": row, "used_by": used_by})
