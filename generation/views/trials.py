"""Try a set or a wording, see what it will take, watch it, and set what came of it side by side."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.numbers import whole_number
from core.permissions import requires
from dialogues.models import Corpus
from generation import tasks
from generation.engine import lifecycle
from generation.example_sets import newest_version
from generation.models import Endpoint, ExampleSet, Prompt, Run, Stage, Trial
from generation.plans import estimating
from generation.plans.choosing import shown_in
from generation.plans.run_plan import PlanError
from generation.trials import trial_plan
from generation.trials.forms import Target, TrialForm
from generation.trials.results import results_of
from generation.watching.progress import progress_of

REMEMBERED = "trial"  # in the session: on what the last trial was made
TRIALS_A_PAGE = 25
HTMX_REFRESH = "HX-Refresh"


@require_http_methods(["GET", "POST"])
@requires("generation.add_run", "try examples and prompts")
def try_set(request: HttpRequest, pk: int) -> HttpResponse:
    example_set = get_object_or_404(ExampleSet.objects.listed(), pk=pk)
    return _try(request, Target.of_set(example_set))


@require_http_methods(["GET", "POST"])
@requires("generation.add_run", "try examples and prompts")
def try_prompt(request: HttpRequest, pk: int) -> HttpResponse:
    prompt = get_object_or_404(Prompt, pk=pk)
    if prompt.stage not in trial_plan.STAGES:
        raise Http404(f"{prompt.get_stage_display()} writes no dialogue, so there is nothing to set side by side.")
    return _try(request, Target.of_prompt(prompt))


def _try(request: HttpRequest, target: Target) -> HttpResponse:
    """`look` asks for other dialogues to choose from and keeps everything else that was typed."""
    form = TrialForm(target, initial=_initial(request))
    if request.method == "POST" and "look" in request.POST:
        form = TrialForm(target, initial={**_initial(request), **_typed(request.POST)})
    elif request.method == "POST":
        form = TrialForm(target, request.POST)
        if form.is_valid():
            try:
                trial = trial_plan.create_trial(form.choice(), by=cast(User, request.user))
            except PlanError as error:
                form.add_error(error.field if error.field in form.fields else None, str(error))
            else:
                _remember(request, form)
                return redirect(trial)
    context = {
        "form": form,
        "target": target,
        "set": target.example_set,
        "has_endpoint": Endpoint.objects.exists(),
        "has_prompt": target.prompt is not None,
        "has_corpus": Corpus.objects.listed().exists(),
        "open_wording": target.example_set is None or form.wording_changed,
    }
    return render(request, "generation/trial_new.html", context, status=422 if form.errors else 200)


@require_GET
@requires("generation.view_run", "see trials")
def trial_list(request: HttpRequest) -> HttpResponse:
    """All trials, or those of the set that the address names."""
    rows, example_set = Trial.objects.with_arms(), None
    named = request.GET.get("set", "")
    if named:
        example_set = get_object_or_404(ExampleSet, pk=whole_number(named) or 0)
        rows = rows.of_set(example_set)
    page = Paginator(rows, TRIALS_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "generation/trials.html", {"page": page, "set": example_set})


@require_GET
@requires("generation.view_run", "see trials")
def trial_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """What it will take while nothing has been sent; else what came of it. A page that watches asks with `seen`."""
    trial = fetch_trial(pk)
    if trial.state == Run.State.DRAFT:
        return render(request, "generation/trial_draft.html", _planned(trial))
    found = results_of(trial)
    advice = _advice(trial)
    context = {
        "trial": trial,
        "found": found,
        "run": trial.own_run,
        "live": trial.state == Run.State.RUNNING,
        "advice": advice,
        "mark": f"{found.mark}{len(advice)}",
    }
    if "HX-Request" in request.headers:
        response = _moved(request, context)
    else:
        context["next_version"] = _next_version(trial)
        response = render(request, "generation/trial.html", context)
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_POST
@requires("generation.change_run", "start trials")
def trial_start(request: HttpRequest, pk: int) -> HttpResponse:
    """Start, or go on after a stop."""
    trial = fetch_trial(pk)
    try:
        with transaction.atomic():
            if trial_plan.start_trial(trial, by=request.user):
                transaction.on_commit(tasks.wake_workers)
    except lifecycle.CannotStartError as error:
        messages.error(request, str(error))
    return redirect(trial)


@require_POST
@requires("generation.change_run", "stop trials")
def trial_stop(request: HttpRequest, pk: int) -> HttpResponse:
    trial = fetch_trial(pk)
    if trial_plan.stop_trial(trial, by=request.user):
        messages.success(request, "Stopped. Replies to calls already sent are still stored.")
    return redirect(trial)


@require_POST
@requires("generation.change_run", "discard trials")
def trial_discard(request: HttpRequest, pk: int) -> HttpResponse:
    trial = fetch_trial(pk)
    tried = trial.example_set or trial.prompt
    if not trial_plan.discard_trial(trial, by=request.user):
        messages.error(request, "This trial has been answered, so it cannot be discarded.")
        return redirect(trial)
    messages.success(request, "Discarded the trial. Nothing had been sent.")
    return redirect(tried) if tried else redirect("generation:trials")


def fetch_trial(pk: int) -> Trial:
    return get_object_or_404(Trial.objects.with_arms(), pk=pk)


def _planned(trial: Trial) -> dict[str, Any]:
    """Everything a trial would do, before anything is sent."""
    assert trial.own_run is not None
    run = Run.objects.select_related("corpus").with_stages().get(pk=trial.own_run.pk)
    arms = {arm.branch: arm for arm in trial.arms.all() if not arm.reused}
    shown = {row.pk: "" if row.stage == Stage.THEME else arms[row.branch].get_name_display() for row in run.newest_rows}
    estimates = estimating.estimate(run)
    return {
        "trial": trial,
        "run": run,
        "estimates": [(shown[row.row.pk], row) for row in estimates],
        "total_calls": sum(row.calls for row in estimates),
        "total_tokens": sum(row.prompt_tokens + row.completion_tokens for row in estimates),
        "total_cost": sum(row.cost for row in estimates),
        "preview": [(shown[row.pk], row, asked) for row, asked in estimating.preview(run)],
        "shown_as_examples": shown_in(run),
        "subjects": trial.subjects.select_related("dialogue__version", "source__corpus"),
    }


def _moved(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """For a page that watches: nothing if nothing changed, and the whole page once the trial has ended."""
    if not context["live"]:
        response = HttpResponse(status=200)
        response[HTMX_REFRESH] = "true"
        return response
    if request.GET.get("seen") == context["mark"]:
        return HttpResponse(status=204)
    return render(request, "generation/_trial_results.html", {**context, "moved": True})


def _advice(trial: Trial) -> str:
    """Why nothing moves; "" if all is well."""
    return progress_of(trial.own_run).advice if trial.own_run else ""


def _next_version(trial: Trial) -> int | None:
    """The number that the wording on trial would get as a version."""
    return newest_version(trial.stage) + 1 if trial.prompt and trial.prompt.is_trial else None


def _typed(sent: QueryDict) -> dict[str, Any]:
    known = TrialForm.base_fields.keys() & sent.keys()
    found: dict[str, Any] = {name: sent.getlist(name) if name == "dialogues" else sent[name] for name in known}
    # A text field sends its line ends in the network's form.
    return found | {name: found[name].replace("\r\n", "\n") for name in ("system", "user") if name in found}


def _initial(request: HttpRequest) -> dict[str, Any]:
    """On what the last trial was made, as far as it is still there."""
    last = request.session.get(REMEMBERED, {})
    found: dict[str, Any] = {}
    if Endpoint.objects.filter(pk=last.get("endpoint")).exists():
        found["endpoint"] = last["endpoint"]
    if Corpus.objects.listed().filter(pk=last.get("corpus")).exists():
        found |= {"corpus": last["corpus"], "dialogues": last["dialogues"]}
    return found


def _remember(request: HttpRequest, form: TrialForm) -> None:
    given = form.cleaned_data
    request.session[REMEMBERED] = {
        "endpoint": given["endpoint"].pk, "corpus": given["corpus"].pk, "dialogues": given["dialogues"],
    }  # fmt: skip
