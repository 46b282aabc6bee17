"""Training runs: the list, a new one, a run's page with what its trainer reports, its files."""

from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.text import slugify
from django.views.decorators.http import require_GET, require_http_methods

from core.downloads import inline, table_file, whole_file
from core.permissions import requires
from dialogues.charts import FILE_FORMATS, THEMES, Spec, Theme, on_paper, rendered
from generation.models import TrainingRun
from generation.training.describing import LOSSES_SHOWN, card_of, run_tables
from generation.training.figures import RunFigure, drawable
from generation.training.forms import EventsForm, NewTrainingRunForm, RegisterForm
from generation.training.labels import labels_of
from generation.training.launching import CannotTrainError, create_run
from generation.training.model_card import said
from generation.training.recipe import Recipe
from generation.training.registering import tuned_of
from generation.training.run_progress import TrainingProgress, notices_of, progress_of, samples_of
from generation.training.serving import servers
from generation.training.trainer_command import Training, elsewhere, here
from generation.views.runs import with_links

RUNS_A_PAGE = 25
HTMX_REFRESH = "HX-Refresh"


@require_GET
@requires("generation.view_trainingrun", "see training runs")
def training_runs(request: HttpRequest) -> HttpResponse:
    rows = TrainingRun.objects.select_related("training_set", "endpoint")
    page = Paginator(rows, RUNS_A_PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "rows": [(progress_of(run), labels_of(run.training_set)) for run in page]}
    return render(request, "generation/training_runs.html", context)


@require_http_methods(["GET", "POST"])
@requires("generation.add_trainingrun", "make training runs")
def training_run_new(request: HttpRequest) -> HttpResponse:
    """A run that waits for its trainer; its page has the commands that start one."""
    form = NewTrainingRunForm(request.POST or None, initial={"training_set": request.GET.get("set")})
    if request.method == "POST" and form.is_valid():
        try:
            run, _ = create_run(**form.cleaned_data, by=request.user)
        except CannotTrainError as error:
            form.add_error(error.field if error.field in form.fields else None, str(error))
        else:
            return redirect(run)
    return render(request, "generation/training_run_new.html", {"form": form}, status=422 if form.errors else 200)


@require_GET
@requires("generation.view_trainingrun", "see training runs")
def training_run(request: HttpRequest, pk: int) -> HttpResponse:
    """A page that watches asks with `seen`, and gets what is new."""
    run = fetch_training_run(pk)
    progress = progress_of(run)
    if "HX-Request" in request.headers:
        response = _moved(request, progress)
    else:
        response = render(request, "generation/training_run.html", _context(request, progress))
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_GET
@requires("generation.view_trainingrun", "see training runs")
def training_run_table(request: HttpRequest, pk: int, slug: str, form: str) -> HttpResponse:
    run = fetch_training_run(pk)
    return table_file(request, run_tables(run).get(slug), form, f"{file_name(run)}-{slug}")


@require_GET
@requires("generation.view_trainingrun", "see training runs")
def training_run_figure(request: HttpRequest, pk: int, slug: str, form: str) -> HttpResponse:
    """A figure for the page in the theme asked for; downloads (`?download`) on paper."""
    run = fetch_training_run(pk)
    figure = {one.slug: one for one in drawable(run)}.get(slug)
    if figure is None or form not in FILE_FORMATS:
        raise Http404("There is no such figure.")
    theme = THEMES["dark" if request.GET.get("theme") == "dark" else "light"]
    spec = _drawn(figure, run, theme)
    if "download" not in request.GET:
        return inline(rendered(spec, form)[0], form)
    return whole_file(rendered(on_paper(spec, theme), form)[0], f"{file_name(run)}-{slug}.{form}")


@require_GET
@requires("generation.view_trainingrun", "see training runs")
def training_run_card(request: HttpRequest, pk: int) -> HttpResponse:
    run = fetch_training_run(pk)
    return whole_file(card_of(run), f"{file_name(run)}-card.md")


def fetch_training_run(pk: int) -> TrainingRun:
    rows = TrainingRun.objects.select_related("training_set__corpus", "created_by", "endpoint")
    return get_object_or_404(rows, pk=pk)


def file_name(run: TrainingRun) -> str:
    """An ASCII file name without its extension."""
    return slugify(run.name) or f"training-run-{run.pk}"


def _drawn(figure: RunFigure, run: TrainingRun, theme: Theme) -> Spec:
    about = [run.name, f"Set {run.training_set}", *labels_of(run.training_set).words()]
    return figure.draw(run, theme, about)


def _moved(request: HttpRequest, progress: TrainingProgress) -> HttpResponse:
    """Nothing if nothing changed; the whole page once the run has begun or ended."""
    seen = request.GET.get("seen", "")
    has_begun = progress.run.state != TrainingRun.State.WAITING and TrainingRun.State.WAITING in seen
    if not progress.run.is_open or has_begun:
        response = HttpResponse(status=200)
        response[HTMX_REFRESH] = "true"
        return response
    if seen == progress.mark:
        return HttpResponse(status=204)
    context = {"run": progress.run, "progress": progress, "moved": True, **_results(progress)}
    return render(request, "generation/_training_live.html", context)


def _context(request: HttpRequest, progress: TrainingProgress) -> dict[str, Any]:
    run = progress.run
    return {
        "run": run,
        "progress": progress,
        "labels": labels_of(run.training_set),
        "notices": notices_of(run),
        "facts": [
            (name.replace("_", " "), said(value)) for name, value in {**run.parameters, **run.environment}.items()
        ],
        "events_form": EventsForm(),
        **_results(progress),
        **(_starting(request, run) if run.state != TrainingRun.State.FINISHED else _serving(run)),
    }


def _results(progress: TrainingProgress) -> dict[str, Any]:
    """Curves, samples and the check: what moves while a run runs."""
    run = progress.run
    delimiter = Recipe.of(run.training_set.recipe).delimiter
    tables = run_tables(run)
    losses = tables.pop("losses", None)
    shown = with_links(tables, lambda slug, form: reverse("generation:training_run_table", args=[run.pk, slug, form]))
    return {
        "tables": shown,
        "losses": losses,
        "loss_rows": list(losses.shown_rows)[-LOSSES_SHOWN:] if losses else [],
        "figures": [_linked(figure, progress) for figure in drawable(run)],
        "delimiter": delimiter,
        "samples": samples_of(run, delimiter),
    }


def _linked(figure: RunFigure, progress: TrainingProgress) -> dict[str, Any]:
    # Its address changes with what it shows, so that a browser that watches fetches it anew, but not at every step.
    urls: dict[str, Any] = {
        form: reverse("generation:training_run_figure", args=[progress.run.pk, figure.slug, form])
        + f"?at={progress.picture_mark}"
        for form in FILE_FORMATS
    }
    return {"figure": figure, **urls}


def _starting(request: HttpRequest, run: TrainingRun) -> dict[str, Any]:
    """The commands that start or continue the run."""
    report = request.build_absolute_uri(reverse("api:training_run_events", args=[run.pk]))
    set_name = str(run.training_set_id)
    training = Training(f"set-{set_name}", f"run-{run.pk}", run.base, run.method)
    return {"here": here(run.pk), "elsewhere": elsewhere(training, set_name=set_name, report_url=report)}


def _serving(run: TrainingRun) -> dict[str, Any]:
    ways = servers(tuned_of(run))
    return {"servers": ways, "register_form": RegisterForm(initial={"model": ways[0].model, "name": run.name})}
