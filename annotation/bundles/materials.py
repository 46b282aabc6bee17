"""What language models were asked for a study: models with their parameters, prompts, and sets of examples."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import Q, QuerySet

from annotation.models import Item, Study
from dialogues.models import Dialogue
from generation.curation.files import exported
from generation.endpoints.addresses import base_of
from generation.endpoints.shutdowns import Days, announced
from generation.models import Call, ExampleSet, Judgement, Output, Prompt, RunDialogue, RunStage


def material_files(study: Study) -> dict[str, str]:
    """The files of `materials/` by path; lists stay empty where no model wrote, answered or judged."""
    stages = list(
        RunStage.objects.filter(run__in=_runs(study))
        .select_related("endpoint", "prompt")
        .prefetch_related("example_sets")
        .order_by("run", "pk")
    )
    days = announced()
    prompts = {stage.prompt_id: stage.prompt for stage in stages}
    sets = {used.pk: used for stage in stages for used in stage.example_sets.all()}
    return {
        "materials/models.json": _text([*(_stage(stage, days) for stage in stages), *_systems(study, days)]),
        "materials/prompts.json": _text(_prompt(prompts[pk]) for pk in sorted(prompts)),
        "materials/example_sets.json": _text(_examples(sets[pk]) for pk in sorted(sets)),
    }


def _text(rows: Iterable[Any]) -> str:
    return json.dumps(list(rows), ensure_ascii=False, indent=1) + "\n"


def _runs(study: Study) -> set[int]:
    """The runs that wrote the study's dialogues, what those were written from and its themes, or judged them."""
    items = Item.objects.filter(study=study)
    read = Dialogue.objects.filter(Q(pk__in=items.values("dialogue")) | Q(pk__in=items.values("other")))
    written = Output.objects.filter(Q(dialogue__in=read) | Q(dialogue__in=read.values("parent")))
    writing = _keys(written, "call__run")
    themes = RunDialogue.objects.filter(run__in=writing, background__isnull=False)
    judged = Judgement.objects.filter(dialogue__in=read)
    return writing | _keys(themes, "background__run") | _keys(judged, "call__run")


def _keys(rows: QuerySet[Any], name: str) -> set[int]:
    return set(rows.order_by().values_list(name, flat=True).distinct())


def _stage(stage: RunStage, days: Days) -> dict[str, Any]:
    """A model's part in a run; `answered_as` is what its endpoint called it in the answers."""
    address = base_of(stage.address or stage.endpoint.base_url)
    calls = Call.objects.filter(run_stage=stage).exclude(reply_model="")
    return {
        "part": stage.stage,
        "run": stage.run_id,
        "branch": stage.branch,
        "edition": stage.edition,
        "model": stage.model,
        "answered_as": sorted(calls.order_by().values_list("reply_model", flat=True).distinct()),
        "address": address,
        "parameters": stage.parameters,
        "prompt": str(stage.prompt),
        "prompt_sha256": stage.prompt.sha256,
        "example_sets": stage.set_names,
        "demo": stage.endpoint.is_demo,
        "shutdown": _shutdown(days, address, stage.model),
    }


def _systems(study: Study, days: Days) -> Iterator[dict[str, Any]]:
    """The systems of a study of chats; data/chats.jsonl has what each chat sent."""
    for system in study.systems.select_related("endpoint", "version"):
        address = base_of(system.endpoint.base_url)
        yield {
            "part": "chat",
            "system": system.version.name,
            "version": system.version_id,
            "model": system.endpoint.model,
            "address": address,
            "parameters": {"temperature": system.temperature, "longest_reply": system.longest_reply},
            "mode": system.mode,
            "delimiter": system.delimiter,
            "demo": system.endpoint.is_demo,
            "shutdown": _shutdown(days, address, system.endpoint.model),
        }


def _shutdown(days: Days, address: str, model: str) -> str | None:
    day = days.get((address, model))
    return day.isoformat() if day else None


def _prompt(prompt: Prompt) -> dict[str, Any]:
    return {
        "name": str(prompt),
        "stage": prompt.stage,
        "version": prompt.version,
        "sha256": prompt.sha256,
        "system": prompt.system,
        "user": prompt.user,
    }


def _examples(used: ExampleSet) -> Any:
    """As `manage.py example_set export` writes it."""
    return json.loads(exported(used))
