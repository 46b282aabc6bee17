"""Planning a run from a script: what may be asked, and that asking twice makes one run."""

import hashlib
import json
from collections.abc import Callable
from typing import cast

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request

from generation.api.common import Strict, read
from generation.models import AskedRun, ExampleKind, Run
from generation.plans import plan_input
from generation.plans.run_plan import PlanError
from generation.stages import ORDER

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key", location="header", description="Your own name for this plan: a repeat finds its run."
)
STAGES = [(stage.value, stage.label) for stage in ORDER]


class Conflict(APIException):
    """What was asked cannot be, as things are now; the text says what to do."""

    status_code = status.HTTP_409_CONFLICT


class SelectionPlan(Strict):
    """Which of the corpus's own dialogues; nothing asked takes all."""

    sample = serializers.IntegerField(required=False, allow_null=True, min_value=1, help_text="How many, by the seed.")
    search = serializers.CharField(required=False, allow_blank=True, max_length=200)
    fewest_messages = serializers.IntegerField(required=False, allow_null=True, min_value=0)
    most_messages = serializers.IntegerField(required=False, allow_null=True, min_value=0)
    without = serializers.CharField(
        required=False, allow_blank=True, help_text="Leave out dialogues that have this version."
    )
    without_writer = serializers.CharField(required=False, allow_blank=True, help_text="… written by this model.")
    with_examples = serializers.BooleanField(
        required=False, help_text="Also dialogues that the run shows as examples, which are otherwise left out."
    )


class SetsPlan(Strict):
    """Numbers of example sets; where left out, the newest version of those that come with the project."""

    single_step = serializers.IntegerField(required=False)
    step_by_step = serializers.IntegerField(required=False)
    further_split = serializers.IntegerField(required=False)

    assert set(ExampleKind.values) == {"single_step", "step_by_step", "further_split"}


class PromptsPlan(Strict):
    """Numbers of prompts; the newest where left out."""

    theme = serializers.IntegerField(required=False)
    pair = serializers.IntegerField(required=False)
    further_split = serializers.IntegerField(required=False)


class RunPlan(Strict):
    """Everything to decide about a run; endpoints and corpora by name. Only `corpus` and `writers` are required."""

    name = serializers.CharField(required=False, max_length=120)
    corpus = serializers.CharField()
    writers = serializers.ListField(
        child=serializers.CharField(), min_length=1, max_length=20, help_text="Endpoints that write, side by side."
    )
    theme_endpoint = serializers.CharField(required=False, help_text="Default: the first writer.")
    splitters = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="Endpoints for further-split: none (each writer its own), one, or one a writer.",
    )
    stages = serializers.MultipleChoiceField(choices=STAGES, required=False, allow_empty=False)
    selection = SelectionPlan(required=False)
    sets = SetsPlan(required=False)
    prompts = PromptsPlan(required=False)
    seed = serializers.IntegerField(required=False, min_value=0, max_value=2**53)
    temperature = serializers.FloatField(required=False, allow_null=True, min_value=0, max_value=2)
    max_tokens = serializers.IntegerField(required=False, min_value=16, max_value=200_000)
    budget = serializers.DecimalField(12, 4, required=False, allow_null=True, min_value=0, help_text="US dollars.")
    token_budget = serializers.IntegerField(required=False, allow_null=True, min_value=1000, max_value=2**53)
    keep_share = serializers.FloatField(required=False, min_value=0, max_value=1)
    ambiguous_policy = serializers.ChoiceField(choices=Run.AmbiguousPolicy.choices, required=False)
    reuse_themes = serializers.BooleanField(required=False)
    use_batch = serializers.BooleanField(
        required=False, help_text="Through the Batch API of every endpoint that offers one: cheaper, within a day."
    )


def planned(request: Request) -> tuple[Run, bool]:
    """The run that this request asks for, and whether it was made now; raises ValidationError or Conflict."""
    return made_once(request, lambda: plan_input.create(read(RunPlan, request.data), by=request.user))


def made_once(request: Request, make: Callable[[], Run]) -> tuple[Run, bool]:
    """What `make` makes, or what it made before: under an `Idempotency-Key` header a repeat finds the first one's run.

    So does one that is sent at the same moment. Raises ValidationError or Conflict.
    """
    key, user = request.headers.get("Idempotency-Key", ""), cast(User, request.user)
    if len(key) > AskedRun.LONGEST_KEY:
        raise ValidationError(f"An Idempotency-Key has at most {AskedRun.LONGEST_KEY} letters.")
    question = json.dumps([request.path, request.data], sort_keys=True)
    body = hashlib.sha256(question.encode()).hexdigest()
    if key and (found := _asked(user, key, body)):
        return found, False
    try:
        with transaction.atomic():
            run = make()
            if key:
                AskedRun.objects.create(user=user, key=key, body_sha256=body, run=run)
    except PlanError as error:
        raise ValidationError({error.field or "detail": [str(error)]}) from error
    except IntegrityError:
        # Somebody with the same key was faster; nothing of this one is left.
        first = _asked(user, key, body)
        if first is None:
            raise
        return first, False
    return run, True


def _asked(user: User, key: str, body_sha256: str) -> Run | None:
    row = AskedRun.objects.select_related("run").filter(user=user, key=key).first()
    if row is None:
        return None
    if row.body_sha256 != body_sha256:
        raise Conflict(f"This Idempotency-Key made run {row.run_id} from another plan. Use a new key for a new plan.")
    return row.run
