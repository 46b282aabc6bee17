"""A tuned model as an endpoint, with the delimiter and the mode that it was trained for."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent
from generation.endpoints.addresses import base_of
from generation.models import Endpoint, TrainingRun
from generation.training.launching import Person
from generation.training.recipe import Recipe
from generation.training.serving import DEFAULT_RANK, Tuned, served_name


class CannotRegisterError(ValueError):
    """The endpoint cannot be made; `field` names what is wrong, and the text says what to do."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(why)
        self.field = field


def tuned_of(run: TrainingRun) -> Tuned:
    """Where the run's model lies, as far as its trainer told."""
    finished = run.events.filter(kind="finished").order_by("-number").first()
    told = finished.payload.get("is_adapter") if finished else None
    is_adapter = told if isinstance(told, bool) else run.method != TrainingRun.Method.FULL
    rank = run.parameters.get("rank")
    return Tuned(
        served_name(run.name, run.pk),
        run.folder or "OUT",
        run.base,
        is_adapter,
        rank if type(rank) is int and rank > 0 else DEFAULT_RANK,
    )


@transaction.atomic
def register(run: TrainingRun, *, address: str, model: str, name: str = "", by: Person = None) -> tuple[Endpoint, bool]:
    """The endpoint at which the run's model answers, and whether it is new; raises CannotRegisterError.

    An endpoint with this address and model is taken as it is, and learns delimiter and mode.
    """
    run = TrainingRun.objects.select_for_update(of=("self",)).select_related("training_set", "endpoint").get(pk=run.pk)
    if run.state != TrainingRun.State.FINISHED:
        raise CannotRegisterError("run", f"{run} has not finished, so there is no model to register yet.")
    where = {"base_url": base_of(address.strip()), "model": model.strip()}
    if run.endpoint and any(getattr(run.endpoint, field) != value for field, value in where.items()):
        why = f"This model is registered as {run.endpoint}. If it moved, change the address on the endpoint’s page."
        raise CannotRegisterError("address", why)
    found = run.endpoint or Endpoint.objects.filter(**where).first()
    endpoint = found or Endpoint(name=name.strip() or run.name, created_by=_person(by), **where)
    endpoint.delimiter = Recipe.of(run.training_set.recipe).delimiter
    endpoint.reply_mode = Endpoint.ReplyMode.AS_TRAINED
    if found is None:
        _refuse_flawed(endpoint)
    endpoint.save(update_fields=["delimiter", "reply_mode"] if found else None)
    if run.endpoint is None:
        run.endpoint = endpoint
        run.save(update_fields=["endpoint"])
        AuditEvent.record(by, AuditVerb.ENDPOINT_REGISTERED, endpoint, training_run=run.pk)
    return endpoint, found is None


_FIELDS = {"base_url": "address", "model": "model", "name": "name"}


def _refuse_flawed(endpoint: Endpoint) -> None:
    try:
        endpoint.full_clean()
    except ValidationError as error:
        flaws: dict[str, Any] = error.message_dict
        field, (why, *_) = next(iter(flaws.items()))
        raise CannotRegisterError(_FIELDS.get(field, "address"), why) from error


def _person(by: Person) -> Any:
    return by if by is not None and by.is_authenticated else None
