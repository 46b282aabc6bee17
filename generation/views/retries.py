"""Try failed calls again with other prompts or examples, and read stored replies again."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from core.permissions import requires
from core.returning import back
from generation import tasks
from generation.engine import rereading, retrying
from generation.models import CallQuerySet, Run
from generation.plans.plan_form import EditForm, RereadForm
from generation.views.run_actions import calls_in_words, fetch_run, named_calls
from generation.watching.causes import CAUSES


@require_http_methods(["GET", "POST"])
@requires("generation.change_run", "retry calls")
def run_retry_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """The prompt and examples of the stages that failed, to change before trying again; `cause` or `call` narrows."""
    run = fetch_run(pk)
    cause, calls = _asked(request)
    failed = _failed(run, cause, calls)
    forms = _forms(request, run, failed)
    if request.method == "POST" and forms and all(form.is_valid() for form in forms):
        try:
            return _try_again(request, run, cause, calls, forms)
        except retrying.EditError as error:
            forms[0].add_error(None, str(error))
    if request.method == "POST" and not forms:
        messages.info(request, "No failed call is left to try again.")
        return redirect(run)
    context = {
        "run": run,
        "forms": forms,
        "count": failed.count(),
        "cause": cause,
        "label": CAUSES.get(cause, cause),
        "calls": calls,
    }
    wrong = any(form.errors for form in forms)
    return render(request, "generation/run_retry.html", context, status=422 if wrong else 200)


@require_http_methods(["GET", "POST"])
@requires("generation.change_run", "read replies again")
def run_reread(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what reading stored replies again would change, and do it; nothing is sent."""
    run, form = fetch_run(pk), RereadForm(request.POST or request.GET)
    if not form.is_valid():
        messages.error(request, "The share to keep must be a number from 0 to 1. Nothing was read.")
        return back(request, run)
    share, calls = form.cleaned_data["keep_share"], named_calls(request)
    if request.method == "GET":
        found = rereading.review(run, keep_share=share, calls=calls)
        context = {
            "run": run,
            "review": found,
            "keep_share": share,
            "calls": calls,
            "next": request.GET.get("next", ""),
        }
        return render(request, "generation/run_reread.html", context)
    changed = rereading.reread(run, keep_share=share, calls=calls, by=request.user)
    if changed:
        tasks.wake_workers()
        messages.success(request, f"{changed:,} {'reply was' if changed == 1 else 'replies were'} read again.")
    else:
        words = "No dialogue or score was changed. Where a reply would be read differently, its call has a note."
        messages.info(request, words)
    return back(request, run)


def _try_again(
    request: HttpRequest, run: Run, cause: str, calls: list[int] | None, forms: list[EditForm]
) -> HttpResponse:
    edits = {form.stage: edit for form in forms if (edit := form.edit()) is not None}
    with transaction.atomic():
        retried = retrying.retry(run, cause=cause, calls=calls, edits=edits, by=request.user)
        transaction.on_commit(tasks.wake_workers)
    changed = " with what you changed" if edits else ""
    messages.success(request, f"{calls_in_words(retried)} will be sent again{changed}.")
    return redirect(run)


def _asked(request: HttpRequest) -> tuple[str, list[int] | None]:
    """Which failed calls are meant, from the address or the form."""
    sent = request.POST if request.method == "POST" else request.GET
    return sent.get("cause", ""), named_calls(request)


def _failed(run: Run, cause: str, calls: list[int] | None) -> CallQuerySet:
    failed = run.calls.failed()
    failed = failed.filter(outcome=cause) if cause else failed
    return failed if calls is None else failed.filter(pk__in=calls)


def _forms(request: HttpRequest, run: Run, failed: CallQuerySet) -> list[EditForm]:
    """One form for each stage in which calls failed."""
    stages = set(failed.order_by().values_list("stage", flat=True).distinct())
    rows = [run.rows_of(stage)[0] for stage in run.stages if stage in stages]
    return [EditForm(row, request.POST or None) for row in rows]
