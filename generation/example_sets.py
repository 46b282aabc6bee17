"""Versions of example sets and prompts: those that come with the project, and wordings that people keep.

What comes with the project is loaded once, and again as a new version when it changes.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from django.db import IntegrityError, transaction
from django.db.models import BooleanField, ExpressionWrapper, Max, Q, QuerySet

from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent
from dialogues.transcript import Transcript
from generation.default_prompts import DEFAULT_PROMPTS
from generation.models import Example, ExampleKind, ExampleSet, Prompt, Stage
from generation.prompts import PromptError, PromptText, StageName, check_prompt, prompt_sha256

FOLDER = Path(__file__).parent / "examples"
FIELDS = ("topic", "theme", "traits_1", "traits_2", "messages", "messages_after", "note")


class WordingError(ValueError):
    """A wording that cannot be kept; the text says why."""


@transaction.atomic
def load_all() -> list[str]:
    """Add what is missing or has changed; returns the names of the versions added."""
    added: list[ExampleSet | Prompt | None] = [load_set(FOLDER / f"{kind}.json") for kind in ExampleKind.values]
    added += [load_prompt(Stage(name)) for name in DEFAULT_PROMPTS]
    return [str(row) for row in added if row is not None]


def load_set(path: Path) -> ExampleSet | None:
    """The new version, or None if the newest one is the same. Raises TranscriptError, KeyError, ValueError."""
    document = json.loads(path.read_text(encoding="utf-8"))
    examples = [_example(entry) for entry in document["examples"]]
    kind, name = ExampleKind(document["kind"]), document["name"]
    newest = ExampleSet.objects.filter(name=name, kind=kind).order_by("-version").first()
    if newest is not None and [_content(row) for row in newest.examples.all()] == [_content(row) for row in examples]:
        return None
    version = newest.version + 1 if newest else 1
    row = ExampleSet.objects.create(name=name, kind=kind, version=version, note=document.get("note", ""))
    for position, example in enumerate(examples, 1):
        example.example_set, example.position = row, position
    Example.objects.bulk_create(examples)
    return row


def load_prompt(stage: Stage) -> Prompt | None:
    """The new version of a stage's wording, or None if some version has it already."""
    text = DEFAULT_PROMPTS[cast(StageName, stage.value)]
    there = Prompt.objects.kept().filter(stage=stage, sha256=prompt_sha256(text)).exists()
    return None if there else prompt_of(stage, text)


def prompt_of(stage: Stage, text: PromptText) -> Prompt:
    """The version of a stage's wording with exactly this text; a new one if there is none."""
    there = kept_wording(stage, text)
    if there is not None:
        return there
    return Prompt.objects.create(stage=stage, version=newest_version(stage) + 1, system=text.system, user=text.user)


def kept_wording(stage: Stage, text: PromptText) -> Prompt | None:
    """The first version of a stage's wording with exactly this text, or None."""
    return Prompt.objects.kept().filter(stage=stage, sha256=prompt_sha256(text)).order_by("version").first()


def newest_version(stage: Stage | str) -> int:
    return int(Prompt.objects.kept().filter(stage=stage).aggregate(newest=Max("version", default=0))["newest"])


def keep_wording(*, stage: Stage, text: PromptText, by: Any = None) -> Prompt:
    """The version with exactly this text, a new one if there is none; raises WordingError if it cannot be filled."""
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
    there = kept_wording(stage, text)
    if there is not None:
        return there
    prompt = prompt_of(stage, text)
    AuditEvent.record(by, AuditVerb.PROMPT_CREATED, prompt, version=prompt.version)
    return prompt


def newest_sets() -> dict[ExampleKind, ExampleSet]:
    """The set that each kind uses unless a person chooses another: the newest version that comes with the project.

    What somebody froze or works on must not surprise others: a frozen set is used only if none comes with the project,
    a draft only if there is no other.
    """
    is_frozen = ExpressionWrapper(Q(frozen_at__isnull=False), BooleanField())
    rows: QuerySet[Any] = ExampleSet.objects.listed().filter(examples__isnull=False).distinct().marked_shipped()
    rows = rows.annotate(is_frozen=is_frozen).order_by("kind", "is_shipped", "is_frozen", "created_at", "pk")
    return {ExampleKind(row.kind): row for row in rows}


def examples_are_there() -> bool:
    """Whether there are examples and prompts to plan a run with."""
    return ExampleSet.objects.listed().exists() and Prompt.objects.kept().exists()


def newest_prompts(stages: Sequence[Stage]) -> list[Prompt]:
    newest = {prompt.stage: prompt for prompt in Prompt.objects.kept().filter(stage__in=stages).order_by("version")}
    return [newest[stage] for stage in stages if stage in newest]


def _example(entry: dict[str, Any]) -> Example:
    Transcript.of(entry["messages"])
    if entry.get("messages_after"):
        Transcript.of(entry["messages_after"])
    return Example(source=Example.Source.SHIPPED, **{name: entry[name] for name in FIELDS if name in entry})


def _content(example: Example) -> list[Any]:
    return [getattr(example, name) for name in FIELDS]
