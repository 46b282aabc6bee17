"""Planning a run from a script: what may be asked, and that asking twice makes one run."""

import hashlib
import json
from collections.abc import Callable
from typing import cast

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from drf_spectacular.utils import OpenApiParameter
from rest_framework import status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request

from generation.api.common import read
from generation.models import AskedRun, Run
from generation.plans import plan_input
from generation.plans.plan_input import RunPlan
from generation.plans.run_plan import PlanError

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key", location="header", description="Your own name for this plan: a repeat finds its run."
)


class Conflict(APIException):
    """What was asked cannot be, as things are now; the text says what to do."""

    status_code = status.HTTP_409_CONFLICT


def planned(request: Request) -> tuple[Run, bool]:
    """The run that this request asks for, and whether it is new; raises ValidationError or Conflict."""
    return made_once(request, lambda: plan_input.create(read(RunPlan, request.data), by=request.user))


def made_once(request: Request, make: Callable[[], Run]) -> tuple[Run, bool]:
    """The run that `make` makes, and whether it is new.

    A repeat with the same `Idempotency-Key` header gets the first one's run, even if both are sent at the same moment.
    Raises ValidationError or Conflict.
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
        # Another request with the same key was faster; this one was rolled back.
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
