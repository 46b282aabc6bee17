"""A batch of a run: cancel it at the provider."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from core.permissions import requires
from generation.batching.cancelling import CannotCancelError, cancel_batch
from generation.models import BatchJob
from generation.views.run_actions import fetch_run


@require_POST
@requires("generation.change_run", "cancel batches")
def batch_cancel(request: HttpRequest, pk: int, batch: int) -> HttpResponse:
    run = fetch_run(pk)
    job = get_object_or_404(BatchJob.objects.select_related("run_stage__endpoint"), pk=batch, run_stage__run=run)
    try:
        cancel_batch(run, job, by=request.user)
    except CannotCancelError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "The provider is asked to end the batch. What it has answered is paid and comes in.")
    return redirect(run)
