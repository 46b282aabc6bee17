"""The buttons of a run: start, pause, resume, decide, try again, budget, baseline, cancel a batch."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from core.numbers import whole_numbers
from core.permissions import requires
from core.returning import back
from dialogues.baseline import made_in_words, split_all, without_baseline
from dialogues.models import Dialogue
from generation import tasks
from generation.batching.rounds import CannotCancelError, cancel_batch
from generation.engine import lifecycle, retrying
from generation.forms import BudgetForm
from generation.models import BatchJob, Run

# As many as one request can make within seconds.
BASELINES_AT_ONCE = 10_000


def fetch_run(pk: int) -> Run:
    return get_object_or_404(Run.objects.select_related("corpus", "created_by").with_stages(), pk=pk)


@require_POST
@requires("generation.change_run", "start runs")
def run_start(request: HttpRequest, pk: int) -> HttpResponse:
    run = fetch_run(pk)
    try:
        with transaction.atomic():
            if lifecycle.start(run, by=request.user):
                transaction.on_commit(tasks.wake_workers)
    except lifecycle.CannotStartError as error:
        messages.error(request, str(error))
    return redirect(run)


@require_POST
@requires("generation.change_run", "pause runs")
def run_pause(request: HttpRequest, pk: int) -> HttpResponse:
    run = fetch_run(pk)
    if lifecycle.pause(run, by=request.user):
        messages.success(request, "Paused. Replies to calls already sent are still stored.")
    return redirect(run)


@require_POST
@requires("generation.change_run", "decide about calls")
def run_decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Decide about calls that were sent but not answered: all of them, or the one that `call` names."""
    run, resend = fetch_run(pk), request.POST.get("decision") == "resend"
    with transaction.atomic():
        decided = retrying.decide(run, resend=resend, calls=named_calls(request), by=request.user)
        transaction.on_commit(tasks.wake_workers)
    messages.success(request, f"{calls_in_words(decided)} {'sent again' if resend else 'given up'}.")
    return back(request, run)


@require_POST
@requires("generation.change_run", "retry calls")
def run_retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Try failed calls again: all, those of one `cause`, or the one that `call` names."""
    run = fetch_run(pk)
    with transaction.atomic():
        retried = retrying.retry(run, cause=request.POST.get("cause", ""), calls=named_calls(request), by=request.user)
        transaction.on_commit(tasks.wake_workers)
    messages.success(request, f"{calls_in_words(retried)} will be sent again.")
    return back(request, run)


@require_POST
@requires("generation.change_run", "set budgets")
def run_budget(request: HttpRequest, pk: int) -> HttpResponse:
    run = fetch_run(pk)
    form = BudgetForm(request.POST, instance=run)
    if not form.is_valid():
        messages.error(request, f"The budget stays as it was: {next(iter(form.errors.values()))[0]}")
        return redirect(run)
    lifecycle.set_budget(run, **form.cleaned_data, by=request.user)
    messages.success(request, "The budget is changed.")
    return redirect(run)


@require_POST
@requires("generation.change_run", "make versions of dialogues")
def run_baseline(request: HttpRequest, pk: int) -> HttpResponse:
    """The punctuation split of every β that this run wrote and that has none yet."""
    run = fetch_run(pk)
    written = Dialogue.objects.filter(output__call__run=run)
    made = split_all(run.corpus, among=written, at_most=BASELINES_AT_ONCE, by=request.user)
    left = without_baseline(written).count() if made == BASELINES_AT_ONCE else 0
    messages.success(request, made_in_words(made, left))
    return redirect(run)


def named_calls(request: HttpRequest) -> list[int] | None:
    """The calls that the form names, or None for all."""
    sent = request.POST if request.method == "POST" else request.GET
    named = sent.getlist("call")
    return whole_numbers(named) if named else None


def calls_in_words(count: int) -> str:
    return f"{count:,} call{'s' if count != 1 else ''}"


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
        messages.success(
            request, "The provider was asked to end the batch. Its finished replies are charged for and still arrive."
        )
    return redirect(run)
