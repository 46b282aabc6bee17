"""Plan a run and look at it before it costs anything."""

import hashlib
from typing import Any, cast
from uuid import uuid4

from django.contrib import messages
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from core.numbers import whole_number
from core.permissions import requires
from dialogues.models import Corpus, Dialogue
from generation.engine import lifecycle
from generation.example_sets import examples_are_there
from generation.models import AskedRun, Endpoint, Run
from generation.plans import estimating, run_plan
from generation.plans.choosing import shown_in
from generation.plans.plan_form import RunForm, from_run
from generation.views.run_actions import fetch_run
from generation.watching.progress import progress_of

REMEMBERED = "plans"  # in the session: what was planned, by run, to plan it again with a change
PLANS_REMEMBERED = 5
NARROWING = ("search", "fewest_messages", "most_messages", "without", "without_writer", "with_examples")


@require_http_methods(["GET", "POST"])
@requires("generation.add_run", "plan runs")
def run_new(request: HttpRequest) -> HttpResponse:
    form = RunForm(request.POST or None, initial=_initial(request))
    if request.method == "POST" and form.is_valid():
        try:
            run = _planned_once(request, form)
        except run_plan.PlanError as error:
            form.add_error(_field_of(error), str(error))
        else:
            _remember(request, run)
            return redirect(run)
    has_endpoint, has_corpus = Endpoint.objects.exists(), Corpus.objects.listed().exists()
    context = {
        "form": form,
        "ready": has_endpoint and has_corpus and examples_are_there(),
        "has_endpoint": has_endpoint,
        "has_corpus": has_corpus,
        "narrowed": any(form[name].value() or form[name].errors for name in NARROWING),
    }
    return render(request, "generation/run_new.html", context, status=422 if form.errors else 200)


def draft(request: HttpRequest, run: Run) -> HttpResponse:
    """Everything a run would do; `dialogue` names the one whose messages are shown."""
    unusable = lifecycle.prompt_problems(run)
    # Nothing can be estimated or shown of requests that cannot be made.
    estimates = [] if unusable else estimating.estimate(run)
    shown, problem = _previewed(run, request.GET.get("dialogue", "").strip())
    context = {
        "run": run,
        "progress": progress_of(run),
        "estimates": estimates,
        "total_calls": sum(row.calls for row in estimates),
        "total_in": sum(row.prompt_tokens for row in estimates),
        "total_out": sum(row.completion_tokens for row in estimates),
        "total_tokens": sum(row.prompt_tokens + row.completion_tokens for row in estimates),
        "total_cost": sum(row.cost for row in estimates),
        "measured": any(row.measured for row in estimates),
        "there": run_plan.already_there(run),
        "shown_as_examples": shown_in(run),
        "shown": shown,
        "problem": problem,
        "preview": [] if unusable else estimating.preview(run, shown),
        "unusable": unusable,
        "several": run.branches > 1,
        **_neighbours(run, shown),
    }
    return render(request, "generation/run_draft.html", context)


@require_POST
@requires("generation.change_run", "discard runs")
def run_discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Throw a draft away; a run that has started is evidence and stays."""
    run = fetch_run(pk)
    if not lifecycle.discard(run):
        messages.error(request, "This run has started, so it cannot be discarded.")
        return redirect(run)
    messages.success(request, f"Discarded the draft {run.name}. Nothing had been sent.")
    return redirect("generation:runs")


def _planned_once(request: HttpRequest, form: RunForm) -> Run:
    """The run that the form asks for; the same form sent twice, at once even, makes one. Raises PlanError."""
    user, body = cast(User, request.user), hashlib.sha256(_as_sent(request).encode()).hexdigest()
    asked = AskedRun.objects.filter(user=user, key=f"form:{form.cleaned_data['once']}:{body}")
    if form.cleaned_data["once"] and (before := asked.select_related("run").first()):
        return before.run
    try:
        with transaction.atomic():
            run = run_plan.create_run(form.choice(), by=user)
            key = f"form:{form.cleaned_data['once'] or uuid4()}:{body}"
            AskedRun.objects.create(user=user, key=key, body_sha256=body, run=run)
    except IntegrityError:
        # The other click was faster; nothing of this one is left.
        return asked.select_related("run").get().run
    return run


def _initial(request: HttpRequest) -> dict[str, Any]:
    """What the form begins with: a corpus or an endpoint from the address, or another run's plan (`from`)."""
    source = whole_number(request.GET.get("from"))
    if source is not None:
        return _as_planned(request, get_object_or_404(Run.objects.with_stages(), pk=source))
    found: dict[str, Any] = {name: request.GET[name] for name in ("corpus",) if name in request.GET}
    if request.GET.get("endpoint"):
        found |= {"theme_endpoint": request.GET["endpoint"], "writers": [request.GET["endpoint"]]}
    return found


def _as_planned(request: HttpRequest, run: Run) -> dict[str, Any]:
    """The values a person entered for this run, if the session has them, else those of the run itself."""
    remembered = request.session.get(REMEMBERED, {}).get(str(run.pk))
    if remembered is None:
        return {} if run.is_judging else from_run(run)
    sent = QueryDict(remembered)
    several = ("stages", "writers")
    known = RunForm.base_fields.keys() - {"once"}
    return {name: sent.getlist(name) if name in several else sent[name] for name in sent if name in known}


def _as_sent(request: HttpRequest) -> str:
    sent = request.POST.copy()
    sent.pop("csrfmiddlewaretoken", None)
    return sent.urlencode()


def _remember(request: HttpRequest, run: Run) -> None:
    plans = {**request.session.get(REMEMBERED, {}), str(run.pk): _as_sent(request)}
    request.session[REMEMBERED] = dict(list(plans.items())[-PLANS_REMEMBERED:])


def _field_of(error: run_plan.PlanError) -> str | None:
    about = {"endpoint": "writers", "sets": "single_step_set", "prompts": "theme_prompt"}.get(error.field, error.field)
    return about if about in RunForm.base_fields else None


def _previewed(run: Run, key: str) -> tuple[Dialogue | None, str]:
    """The chosen dialogue of this name, or the first; and what to say if no dialogue has the name."""
    chosen = Dialogue.objects.filter(chosen_by__run=run).order_by("pk")
    found = chosen.filter(key=key).first() or chosen.filter(key__icontains=key).first() if key else chosen.first()
    if found is None:
        return chosen.first(), f"None of the chosen dialogues is called “{key}”; this is the first."
    return found, ""


def _neighbours(run: Run, shown: Dialogue | None) -> dict[str, Dialogue | None]:
    if shown is None:
        return {"previous": None, "next": None}
    chosen = Dialogue.objects.filter(chosen_by__run=run).only("pk", "key")
    return {
        "previous": chosen.filter(pk__lt=shown.pk).order_by("-pk").first(),
        "next": chosen.filter(pk__gt=shown.pk).order_by("pk").first(),
    }
