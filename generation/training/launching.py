"""Making a training run, and asking a running one to stop."""

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.utils import timezone

from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent
from dialogues.transcript import text_problem
from generation.models import TrainingRun, TrainingSet
from generation.training.recipe import Recipe

Person = AbstractBaseUser | AnonymousUser | None
Method = TrainingRun.Method


class CannotTrainError(ValueError):
    """A run that would come to nothing; `field` names the choice that is wrong, and the text says what to do."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(why)
        self.field = field


def refuse_unfit(training_set: TrainingSet, method: str) -> None:
    """Raise CannotTrainError unless the set can be trained on by this method."""
    if not training_set.is_built:
        raise CannotTrainError("set", f"{training_set} is not built. Choose a set that is.")
    if not training_set.items.filter(split="train").exists():
        raise CannotTrainError("set", f"{training_set} has no example to train on. Build it anew with more dialogues.")
    kind = Recipe.of(training_set.recipe).kind
    if kind == "preferences" and method != Method.DPO:
        raise CannotTrainError("method", f"{training_set} is a set of preferences. Choose DPO, or a set of dialogues.")
    if kind == "dialogues" and method == Method.DPO:
        raise CannotTrainError("method", f"DPO needs a set of preferences; {training_set} is one of dialogues.")


@transaction.atomic
def create_run(
    *, training_set: TrainingSet, base: str, method: str, by: Person, name: str = "", base_licence: str = ""
) -> tuple[TrainingRun, bool]:
    """The run that waits for its trainer, and whether it is new; raises CannotTrainError.

    Asked twice for the same while nothing was reported, it is the same run: a form sent twice makes one.
    """
    refuse_unfit(training_set, method)
    base, name = base.strip(), name.strip() or usual_name(base, training_set)
    if not base:
        raise CannotTrainError("base", "Name the base model: its name on a hub, or its folder.")
    for field, text in (("base", base), ("name", name), ("base_licence", base_licence)):
        if flaw := text_problem(text):
            raise CannotTrainError(field, f"This cannot be stored: {flaw}.")
    # Whoever else asks for the same at this moment waits here.
    TrainingSet.objects.select_for_update().get(pk=training_set.pk)
    person = by if by is not None and by.is_authenticated else None
    same: dict[str, Any] = {
        "training_set": training_set, "base": base, "method": method, "name": name, "base_licence": base_licence,
        "created_by": person,
    }  # fmt: skip
    waiting = TrainingRun.objects.filter(
        state=TrainingRun.State.WAITING, is_attended=False, events__isnull=True, **same
    )
    if found := waiting.first():
        return found, False
    run = TrainingRun.objects.create(**same)
    AuditEvent.record(by, AuditVerb.TRAINING_RUN_CREATED, run, set=str(training_set), base=base, method=method)
    return run, True


def usual_name(base: str, training_set: TrainingSet) -> str:
    """ "Meta-Llama-3-8B on Chats v2"."""
    return f"{base.rstrip('/').rpartition('/')[2]} on {training_set}"[:120]


@transaction.atomic
def ask_to_stop(run: TrainingRun, *, by: Person) -> bool:
    """Ask the command that looks after the run to stop its trainer; False where no command of this machine does."""
    attended = TrainingRun.objects.open().filter(pk=run.pk, is_attended=True, stop_asked_at__isnull=True)
    if not attended.update(stop_asked_at=timezone.now()):
        return False
    AuditEvent.record(by, AuditVerb.TRAINING_RUN_STOPPED, run)
    return True
