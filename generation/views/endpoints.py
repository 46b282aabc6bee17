"""Where models answer: list, add, change, check."""

from typing import cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.permissions import requires
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent
from generation.endpoints.checking import check
from generation.forms import EndpointForm
from generation.models import Endpoint, TrainingRun
from generation.training.labels import Labels, labels_of


@require_GET
@requires("generation.view_endpoint", "see endpoints")
def endpoint_list(request: HttpRequest) -> HttpResponse:
    endpoints = Endpoint.objects.annotate(run_count=Count("run_stages__run", distinct=True))
    return render(request, "generation/endpoints.html", {"endpoints": endpoints})


@require_http_methods(["GET", "POST"])
@requires("generation.add_endpoint", "add endpoints")
def endpoint_new(request: HttpRequest) -> HttpResponse:
    endpoint = Endpoint(created_by=cast(User, request.user))
    return _edit(request, endpoint, "Add endpoint", AuditVerb.ENDPOINT_ADDED)


@require_http_methods(["GET", "POST"])
@requires("generation.change_endpoint", "change endpoints")
def endpoint_edit(request: HttpRequest, pk: int) -> HttpResponse:
    endpoint = get_object_or_404(Endpoint, pk=pk)
    return _edit(request, endpoint, "Save", AuditVerb.ENDPOINT_CHANGED)


@require_POST
@requires("generation.change_endpoint", "check endpoints")
def endpoint_check(request: HttpRequest, pk: int) -> HttpResponse:
    endpoint = get_object_or_404(Endpoint, pk=pk)
    if check(endpoint):
        messages.success(request, endpoint.check_result)
    else:
        messages.error(request, f"The check failed. {endpoint.check_result}")
    return redirect(endpoint)


def _edit(request: HttpRequest, endpoint: Endpoint, action: str, verb: AuditVerb) -> HttpResponse:
    form = EndpointForm(request.POST or None, instance=endpoint)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            endpoint = form.save()
            changed = [name for name in form.changed_data if name != "api_key"]
            AuditEvent.record(request.user, verb, endpoint, fields=changed, key="api_key" in form.changed_data)
        messages.success(request, f"{endpoint.name} is saved. Check it before you use it.")
        return redirect(endpoint)
    stored = Endpoint.objects.filter(pk=endpoint.pk).first() if endpoint.pk else None
    context = {"form": form, "endpoint": stored, "action": action, "trained": _trained(stored)}
    return render(request, "generation/endpoint.html", context, status=422 if form.errors else 200)


def _trained(endpoint: Endpoint | None) -> list[tuple[TrainingRun, Labels]]:
    """The training runs whose model answers there, with the labels of their data."""
    if endpoint is None:
        return []
    runs = endpoint.training_runs.select_related("training_set__corpus")
    return [(run, labels_of(run.training_set)) for run in runs]
