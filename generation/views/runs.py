"""Runs: list, plan, watch, and the buttons that move them."""

from typing import cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from dialogues.models import AuditEvent
from dialogues.permissions import requires
from generation import events, ledger, lifecycle, planning, tasks
from generation.forms import BudgetForm, CallFilter, RunForm
from generation.models import Endpoint, ExampleSet, Run
from generation.progress import progress_of, progress_of_all

RUNS_A_PAGE = 25
CALLS_A_PAGE = 50


@require_GET
@requires("generation.view_run", "see runs")
def run_list(request: HttpRequest) -> HttpResponse:
    page = Paginator(Run.objects.select_related("corpus", "endpoint"), RUNS_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "generation/runs.html", {"page": page, "rows": progress_of_all(list(page))})


@require_http_methods(["GET", "POST"])
@requires("generation.add_run", "plan runs")
def run_new(request: HttpRequest) -> HttpResponse:
    initial = {name: request.GET[name] for name in ("corpus", "endpoint") if name in request.GET}
    form = RunForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            run = planning.create_run(form.choice(), by=cast(User, request.user))
        except planning.PlanError as error:
            form.add_error(error.field if error.field in form.fields else None, str(error))
        else:
            return redirect(run)
    ready = Endpoint.objects.exists() and ExampleSet.objects.exists()
    context = {"form": form, "ready": ready, "has_endpoint": Endpoint.objects.exists()}
    return render(request, "generation/run_new.html", context, status=422 if form.errors else 200)


@require_GET
@requires("generation.view_run", "see runs")
def run_detail(request: HttpRequest, pk: int) -> HttpResponse:
    run = _run(pk)
    if run.state == Run.State.DRAFT:
        return _draft(request, run)
    wanted = CallFilter(request.GET)
    calls = run.calls.select_related("alpha").order_by("-pk")
    if wanted.is_valid():
        calls = calls.filter(**{name: value for name, value in wanted.cleaned_data.items() if value})
    page = Paginator(calls.defer("raw_reply"), CALLS_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "run": run,
        "progress": progress_of(run),
        "page": page,
        "filter": wanted,
        "budget_form": BudgetForm(instance=run),
        "retryable": run.calls.retryable().count(),
    }
    return render(request, "generation/run.html", context)


def _draft(request: HttpRequest, run: Run) -> HttpResponse:
    estimates = planning.estimate(run)
    context = {
        "run": run,
        "progress": progress_of(run),
        "estimates": estimates,
        "total_calls": sum(row.calls for row in estimates),
        "total_tokens": sum(row.prompt_tokens + row.completion_tokens for row in estimates),
        "total_cost": sum(row.cost for row in estimates),
        "preview": planning.preview(run),
    }
    return render(request, "generation/run_draft.html", context)


@require_GET
@requires("generation.view_run", "see runs")
def run_events(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """The run's progress, event by event; holds no database connection while it waits."""
    _run(pk)
    if not connection.in_atomic_block:
        connection.close()
    response = StreamingHttpResponse(events.stream(pk), content_type="text/event-stream")
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response


@require_POST
@requires("generation.change_run", "start runs")
def run_start(request: HttpRequest, pk: int) -> HttpResponse:
    run = _run(pk)
    try:
        with transaction.atomic():
            if lifecycle.start(run, by=request.user):
                transaction.on_commit(tasks.ring)
    except lifecycle.CannotStartError as error:
        messages.error(request, str(error))
    return redirect(run)


@require_POST
@requires("generation.change_run", "pause runs")
def run_pause(request: HttpRequest, pk: int) -> HttpResponse:
    run = _run(pk)
    if lifecycle.pause(run, by=request.user):
        messages.success(request, "Paused. Calls on their way still come home and are kept.")
    return redirect(run)


@require_POST
@requires("generation.change_run", "discard runs")
def run_discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Throw a draft away; a run that has started is evidence and stays."""
    run = _run(pk)
    discarded, _ = Run.objects.filter(pk=run.pk, state=Run.State.DRAFT).delete()
    if not discarded:
        messages.error(request, "This run has started, so it stays.")
        return redirect(run)
    messages.success(request, f"The draft {run.name} is gone. Nothing had been sent.")
    return redirect("generation:runs")


@require_POST
@requires("generation.change_run", "decide about calls")
def run_decide(request: HttpRequest, pk: int) -> HttpResponse:
    """What to do with calls that were sent and never answered."""
    run, resend = _run(pk), request.POST.get("decision") == "resend"
    with transaction.atomic():
        decided = ledger.decide(run, resend=resend)
        AuditEvent.record(request.user, "run.decided", run, resend=resend, calls=decided)
        _go_on(request, run)
    messages.success(request, f"{decided} call{'s' if decided != 1 else ''} {'sent again' if resend else 'given up'}.")
    return redirect(run)


@require_POST
@requires("generation.change_run", "retry calls")
def run_retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Put calls that failed without an answer back in line."""
    run = _run(pk)
    with transaction.atomic():
        retried = ledger.retry_failed(run)
        AuditEvent.record(request.user, "run.retried", run, calls=retried)
        _go_on(request, run)
    messages.success(request, f"{retried} call{'s' if retried != 1 else ''} back in line.")
    return redirect(run)


@require_POST
@requires("generation.change_run", "set budgets")
def run_budget(request: HttpRequest, pk: int) -> HttpResponse:
    run = _run(pk)
    form = BudgetForm(request.POST, instance=run)
    if not form.is_valid():
        messages.error(request, f"The budget stays as it was: {form.errors['budget'][0]}")
        return redirect(run)
    with transaction.atomic():
        run.save(update_fields=["budget"])
        AuditEvent.record(request.user, "run.budget", run, budget=str(run.budget))
    messages.success(request, "The budget is changed.")
    return redirect(run)


def _go_on(request: HttpRequest, run: Run) -> None:
    lifecycle.start(run, by=request.user)
    lifecycle.finish_where_done([run.pk])
    transaction.on_commit(tasks.ring)


def _run(pk: int) -> Run:
    return get_object_or_404(Run.objects.select_related("corpus", "endpoint", "created_by"), pk=pk)
