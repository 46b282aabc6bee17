"""Watch an import that a worker does, and stop it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRedirect

from core.durations import duration
from core.permissions import requires
from dialogues import import_jobs
from dialogues.models import ImportJob


@require_GET
@requires("dialogues.add_corpus", "import corpora")
def job(request: HttpRequest, pk: int) -> HttpResponse:
    """How far it is; the page asks again while it is open, and goes to the corpus once that is there."""
    job = get_object_or_404(ImportJob.objects.select_related("corpus"), pk=pk)
    is_asked_again = bool(request.headers.get("HX-Request"))
    if job.corpus and job.state == ImportJob.State.DONE:
        where = job.corpus.get_absolute_url()
        return HttpResponseClientRedirect(where) if is_asked_again else redirect(where)
    left = job.seconds_left
    context = {"job": job, "percent": int(job.share * 100), "time_left": duration(left) if left is not None else ""}
    return render(request, "dialogues/_import_job.html" if is_asked_again else "dialogues/import_job.html", context)


@require_POST
@requires("dialogues.add_corpus", "import corpora")
def stop(request: HttpRequest, pk: int) -> HttpResponse:
    job = get_object_or_404(ImportJob, pk=pk)
    if not import_jobs.stop(job):
        messages.info(request, "This import had ended before you stopped it.")
    return redirect(job)
