"""A stage's wording from one version to the next."""

from typing import Any, cast

from django.db import IntegrityError, transaction
from django.db.models import Max

from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent
from generation import example_sets
from generation.models import Prompt, Stage
from generation.prompts import PromptError, PromptText, StageName, check_prompt


class WordingError(ValueError):
    """A wording that cannot be a version; the text says why."""


def newest_version(stage: Stage | str) -> int:
    return int(Prompt.objects.kept().filter(stage=stage).aggregate(newest=Max("version", default=0))["newest"])


def keep_wording(*, stage: Stage, text: PromptText, by: Any = None) -> Prompt:
    """The version that says exactly this, a new one where none does; raises WordingError where it cannot be filled."""
    try:
        check_prompt(cast(StageName, stage.value), text)
    except PromptError as error:
        raise WordingError(f"This wording cannot be used: {error}.") from error
    try:
        return _keep(stage, text, by)
    except IntegrityError:
        # Somebody else took the next number at the same moment.
        return _keep(stage, text, by)


@transaction.atomic
def _keep(stage: Stage, text: PromptText, by: Any) -> Prompt:
    there = example_sets.kept_wording(stage, text)
    if there is not None:
        return there
    prompt = example_sets.prompt_of(stage, text)
    AuditEvent.record(by, AuditVerb.PROMPT_CREATED, prompt, version=prompt.version)
    return prompt
