"""The buttons of a training run's page: stop, upload its log, register the tuned model."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from core.permissions import requires
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent
from generation.training.events import EventError, read_events
from generation.training.forms import EventsForm, RegisterForm
from generation.training.launching import ask_to_stop
from generation.training.registering import CannotRegisterError, register, tuned_of
from generation.training.reporting import record
from generation.training.serving import servers
from generation.views.training_runs import fetch_training_run


@require_POST
@requires("generation.change_trainingrun", "stop training runs")
def training_run_stop(request: HttpRequest, pk: int) -> HttpResponse:
    run = fetch_training_run(pk)
    if ask_to_stop(run, by=request.user):
        messages.success(request, "The trainer is asked to stop. It writes a checkpoint first, which may take minutes.")
    elif run.is_open and not run.stop_asked_at:
        messages.error(request, "Its trainer works on another machine. Press Ctrl-C there.")
    return redirect(run)


@require_POST
@requires("generation.change_trainingrun", "upload logs of training runs")
def training_run_upload(request: HttpRequest, pk: int) -> HttpResponse:
    """Store the events of a log; what was stored before is passed over."""
    run = fetch_training_run(pk)
    form = EventsForm(request.POST, request.FILES)
    if form.is_valid():
        lines = (line.decode("utf-8", "replace") for line in form.cleaned_data["events"])
        try:
            with transaction.atomic():
                stored = record(run, read_events(lines))
                AuditEvent.record(request.user, AuditVerb.TRAINING_LOG_UPLOADED, run, stored=stored)
        except EventError as error:
            form.add_error("events", f"This is no log of a trainer: {error}. Choose events.jsonl of its folder.")
        else:
            messages.success(request, f"{stored:,} events are stored.")
            return redirect(run)
    return render(request, "generation/training_run_upload.html", {"run": run, "form": form}, status=422)


@require_POST
@requires("generation.add_endpoint", "add endpoints")
def training_run_register(request: HttpRequest, pk: int) -> HttpResponse:
    run = fetch_training_run(pk)
    form = RegisterForm(request.POST)
    if form.is_valid():
        try:
            endpoint, is_new = register(run, **form.cleaned_data, by=request.user)
        except CannotRegisterError as error:
            form.add_error(error.field if error.field in form.fields else None, str(error))
        else:
            if is_new:
                messages.success(request, f"{endpoint.name} is registered. Check it before you use it.")
            return redirect(endpoint)
    context = {"run": run, "form": form, "servers": servers(tuned_of(run))}
    return render(request, "generation/training_run_register.html", context, status=422)
