"""“Split for me” by a model that has not been asked yet: a run of one call, which a researcher looks at and starts."""

from typing import cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from annotation.restructuring import drafts
from core.numbers import whole_number
from core.permissions import refuse_without
from dialogues.models import Dialogue
from generation.models import Endpoint, Run
from generation.plans.plan_form import endpoint_label
from generation.plans.planning import PlanError
from generation.plans.splitting import split_run

SPEND = "generation.add_run"


def choices(person: User) -> list[tuple[int, str]]:
    """The models that a person may ask, by key; none for who may not spend money."""
    if not person.has_perm(SPEND):
        return []
    return [(endpoint.pk, endpoint_label(endpoint)) for endpoint in Endpoint.objects.all()]


@require_POST
def restructuring_ask_model(request: HttpRequest, token: str) -> HttpResponse:
    """Plan the run and go to it: it says what will be sent and what that costs, and nothing is sent before Start."""
    person = cast(User, request.user)
    draft = drafts.own_restructuring(person, token)
    refuse_without(request, SPEND, "ask models")
    endpoint = Endpoint.objects.filter(pk=whole_number(request.POST.get("endpoint")) or 0).first()
    if endpoint is None:
        messages.error(request, "Choose a model to ask.")
        return redirect("restructuring", token)
    try:
        return redirect(_planned(draft.original, endpoint, person))
    except PlanError as error:
        messages.error(request, str(error))
        return redirect("restructuring", token)


def _planned(original: Dialogue, endpoint: Endpoint, by: User) -> Run:
    """The draft of a run for this dialogue and model; one that was planned and never started is used again."""
    waiting = Run.objects.filter(
        state=Run.State.DRAFT, created_by=by, chosen__dialogue=original, run_stages__endpoint=endpoint,
        stages=["further_split"],
    ).first()  # fmt: skip
    return waiting or split_run(dialogues=[original], endpoint=endpoint, name=f"Split {original.key}"[:120], by=by)
