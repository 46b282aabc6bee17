"""Download a training set: in every form or in one, at once or once a worker has prepared it."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.downloads import attached
from core.durations import duration
from core.permissions import person_of, requires
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent
from generation.models import TrainingExport, TrainingSet
from generation.training import export_jobs, tasks
from generation.training.export_jobs import path_of, stem_of
from generation.training.recipe import Recipe
from generation.training.sheets import PARQUET_FOLDER
from generation.training.targets.registry import PARQUET, TARGETS, UnknownTargetError

_SEE = ("generation.view_trainingset", "export training sets")


@dataclass(frozen=True, slots=True)
class Choice:
    """One row of the page: a target, where it lies in the file of all, and who reads it."""

    name: str
    label: str
    folder: str
    about: str


_PARQUET = Choice(PARQUET, "Parquet", PARQUET_FOLDER, "datasets.load_dataset, pandas and every reader of tables.")


@require_http_methods(["GET", "HEAD", "POST"])
@requires(*_SEE)
def training_files(request: HttpRequest, pk: int) -> HttpResponse:
    """What there is to download; a POST with a `target`, "" for all, leads to its file or to how far that is."""
    training_set = get_object_or_404(TrainingSet.objects.built().select_related("corpus"), pk=pk)
    if request.method != "POST":
        return render(request, "generation/training_files.html", _context(training_set))
    target = request.POST.get("target", "")
    try:
        job = export_jobs.ordered(training_set, target, by=person_of(request), wake=tasks.wake_exporter)
    except UnknownTargetError as error:
        messages.error(request, str(error))
        return redirect("generation:training_files", pk=pk)
    is_there = job.state == TrainingExport.State.DONE
    return redirect("generation:training_export_file", pk=job.pk) if is_there else redirect(job)


@require_GET
@requires(*_SEE)
def training_export(request: HttpRequest, pk: int) -> HttpResponse:
    """How far it is; the page asks again while it is open."""
    job = get_object_or_404(TrainingExport.objects.select_related("training_set__corpus"), pk=pk)
    left = job.seconds_left
    context = {
        "job": job,
        "percent": int(job.share * 100),
        "time_left": duration(left) if left is not None else "",
        "file_name": f"{stem_of(job.training_set, job.target)}.zip",
    }
    is_asked_again = bool(request.headers.get("HX-Request"))
    template = "generation/_training_export.html" if is_asked_again else "generation/training_export.html"
    return render(request, template, context)


@require_POST
@requires(*_SEE)
def training_export_stop(request: HttpRequest, pk: int) -> HttpResponse:
    job = get_object_or_404(TrainingExport, pk=pk)
    if not export_jobs.stop(job):
        messages.info(request, "This file was ready before you stopped it.")
    return redirect(job)


@require_GET
@requires(*_SEE)
def training_export_file(request: HttpRequest, pk: int) -> HttpResponseBase:
    ready = TrainingExport.objects.filter(state=TrainingExport.State.DONE)
    job = get_object_or_404(ready.select_related("training_set"), pk=pk)
    try:
        stream = path_of(job).open("rb")
    except FileNotFoundError:
        raise Http404("The file was removed. Prepare it again.") from None
    AuditEvent.record(request.user, AuditVerb.TRAINING_SET_EXPORTED, job.training_set, target=job.target or "all")
    response = FileResponse(stream, content_type="application/zip")
    return attached(response, f"{stem_of(job.training_set, job.target)}.zip")


def _context(training_set: TrainingSet) -> dict[str, object]:
    found = TARGETS[Recipe.of(training_set.recipe).kind]
    choices = [_PARQUET, *(Choice(one.name, one.label, one.folder, one.about) for one in found)]
    return {"set": training_set, "choices": choices, "preparing": training_set.exports.open()}
