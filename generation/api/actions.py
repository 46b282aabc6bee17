"""The buttons of a run's page, for scripts. Each is safe to press twice and answers the run as it is then."""

from typing import Any

from django.db import transaction
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from generation import tasks
from generation.api.common import endpoint, read
from generation.api.runs import Conflict, RunDetailSerializer, found_run
from generation.batching.rounds import CannotCancelError, cancel_batch
from generation.engine import lifecycle, rereading, retrying
from generation.models import BatchJob, Stage
from generation.plans import plan_input
from generation.plans.plan_input import BudgetPlan, EditsPlan
from generation.plans.run_plan import PlanError
from generation.plans.schema import KEEP_SHARE, Strict


class NothingMore(Strict):
    """Takes no field: what somebody sends along would not be heeded."""


class CallsPlan(Strict):
    calls = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1),
        required=False,
        allow_empty=False,
        help_text="Only these; default: all.",
    )


class DecisionPlan(CallsPlan):
    decision = serializers.ChoiceField(choices=[("resend", "Send again"), ("give_up", "Give up")])


class RetryPlan(CallsPlan):
    cause = serializers.CharField(required=False, help_text="Only calls with this outcome, like provider or truncated.")
    edits = EditsPlan(
        required=False, help_text="Other words or examples for the calls that take the failed ones' place."
    )


class RereadPlan(CallsPlan):
    keep_share = KEEP_SHARE.api_field(help_text="Of γ's words that a further-split must keep, from now on.")
    dry_run = serializers.BooleanField(required=False, default=False, help_text="Only say what would change.")


class ChangeSerializer(serializers.Serializer[Any]):
    """Replies of one stage that read otherwise today. `ok` twice: another usable answer than was taken."""

    stage = serializers.ChoiceField(choices=Stage.choices)
    before = serializers.CharField(help_text="The outcome so far.")
    after = serializers.CharField(help_text="The outcome read today.")
    kept = serializers.BooleanField(help_text="What was made of them is in use, so it stays as it is.")
    calls = serializers.IntegerField()


COUNTED = inline_serializer(
    "Counted", {"calls": serializers.IntegerField(help_text="How many."), "run": RunDetailSerializer()}
)
REREAD = inline_serializer(
    "Reread",
    {
        "calls": serializers.IntegerField(help_text="How many change, or would."),
        "changes": ChangeSerializer(many=True),
        "dry_run": serializers.BooleanField(),
        "run": RunDetailSerializer(),
    },
)


@extend_schema(operation_id="run_start", request=None, responses=RunDetailSerializer)
@endpoint("POST", may="generation.change_run", to="start runs")
def run_start(request: Request, pk: int) -> Response:
    """Start a draft or resume a paused run; the workers do the rest. A finished run stays finished."""
    run = found_run(pk)
    read(NothingMore, request.data)
    try:
        with transaction.atomic():
            if lifecycle.start(run, by=request.user):
                transaction.on_commit(tasks.wake_workers)
    except lifecycle.CannotStartError as error:
        raise Conflict(str(error)) from error
    return _as_it_is(pk)


@extend_schema(operation_id="run_pause", request=None, responses=RunDetailSerializer)
@endpoint("POST", may="generation.change_run", to="pause runs")
def run_pause(request: Request, pk: int) -> Response:
    """Stop sending; calls on their way still come home. Changes nothing where the run is not running."""
    lifecycle.pause(found_run(pk), by=request.user)
    return _as_it_is(pk)


@extend_schema(operation_id="run_budget", request=BudgetPlan, responses=RunDetailSerializer)
@endpoint("POST", may="generation.change_run", to="set budgets")
def run_budget(request: Request, pk: int) -> Response:
    """Change what the run may cost. A paused run does not go on by it; start it."""
    run, limits = found_run(pk), read(BudgetPlan, request.data)
    lifecycle.set_budget(run, budget=limits.get("budget"), token_budget=limits.get("token_budget"), by=request.user)
    return _as_it_is(pk)


@extend_schema(operation_id="run_discard", request=None, responses={204: None})
@endpoint("POST", may="generation.change_run", to="discard runs")
def run_discard(request: Request, pk: int) -> Response:
    """Throw a draft away; a run that has started is evidence and stays."""
    run = found_run(pk)
    if not lifecycle.discard(run):
        raise Conflict("This run has started, so it cannot be discarded.")
    return Response(status=204)


@extend_schema(operation_id="run_decide", request=DecisionPlan, responses=COUNTED)
@endpoint("POST", may="generation.change_run", to="decide about calls")
def run_decide(request: Request, pk: int) -> Response:
    """Send unanswered calls again, or give them up."""
    run, wanted = found_run(pk), read(DecisionPlan, request.data)
    with transaction.atomic():
        count = retrying.decide(run, resend=wanted["decision"] == "resend", calls=wanted.get("calls"), by=request.user)
        transaction.on_commit(tasks.wake_workers)
    return _counted(count, pk)


@extend_schema(operation_id="run_retry", request=RetryPlan, responses=COUNTED)
@endpoint("POST", may="generation.change_run", to="retry calls")
def run_retry(request: Request, pk: int) -> Response:
    """Try failed calls again, all, those of one cause or those named; with other words or examples where given."""
    run, wanted = found_run(pk), read(RetryPlan, request.data)
    try:
        with transaction.atomic():
            edits = plan_input.edits_of(wanted.get("edits", {}))
            calls = wanted.get("calls")
            count = retrying.retry(run, cause=wanted.get("cause", ""), calls=calls, edits=edits, by=request.user)
            transaction.on_commit(tasks.wake_workers)
    except (PlanError, retrying.EditError) as error:
        raise ValidationError({"edits": [str(error)]}) from error
    return _counted(count, pk)


@extend_schema(operation_id="run_reread", request=RereadPlan, responses=REREAD)
@endpoint("POST", may="generation.change_run", to="read replies again")
def run_reread(request: Request, pk: int) -> Response:
    """Read stored replies once more, for nothing: after a mend, or with another threshold. `changes` says how."""
    run, wanted = found_run(pk), read(RereadPlan, request.data)
    asked = {"keep_share": wanted.get("keep_share"), "calls": wanted.get("calls")}
    found = rereading.review(run, **asked)
    count = len(found.made)
    if not wanted["dry_run"]:
        count = rereading.reread(run, **asked, by=request.user)
        tasks.wake_workers()
    told = {"calls": count, "changes": found.as_json(), "dry_run": wanted["dry_run"], "run": _shown(pk)}
    return Response(told)


@extend_schema(operation_id="batch_cancel", request=None, responses=RunDetailSerializer)
@endpoint("POST", may="generation.change_run", to="cancel batches")
def batch_cancel(request: Request, pk: int, batch: int) -> Response:
    """Ask the provider to end a batch of a paused run; `progress.batches` has their numbers."""
    run = found_run(pk)
    job = BatchJob.objects.select_related("run_stage__endpoint").filter(pk=batch, run_stage__run=run).first()
    if job is None:
        raise NotFound(f"Run {pk} has no batch {batch}.")
    try:
        cancel_batch(run, job, by=request.user)
    except CannotCancelError as error:
        raise Conflict(str(error)) from error
    return _as_it_is(pk)


def _counted(count: int, pk: int) -> Response:
    return Response({"calls": count, "run": _shown(pk)})


def _as_it_is(pk: int) -> Response:
    return Response(_shown(pk))


def _shown(pk: int) -> Any:
    return RunDetailSerializer(found_run(pk)).data
