"""`{% load judged %}`: what judges said, beside the dialogues, and what a judge run is about to ask."""

from collections.abc import Sequence
from typing import Any

from django import template
from django.db.models import Count

from dialogues.models import Version
from generation.judgements.beside import panels, scored
from generation.models import Call, Run, Stage
from generation.reuse import judgements_there

register = template.Library()


@register.inclusion_tag("generation/_judged.html")
def judgements_of(columns: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """For the columns of a dialogue page, each with its `dialogue`."""
    dialogues = [column["dialogue"] for column in columns]
    return {"dialogues": dialogues, "panels": panels(dialogues)}


@register.inclusion_tag("generation/_scored.html")
def scores_of(call: Call) -> dict[str, Any]:
    """For a call page; shows nothing if the call is no judge's."""
    return {"rows": scored(call) if call.stage == Stage.JUDGE else [], "dialogue": call.dialogue, "call": call}


@register.inclusion_tag("generation/_judge_plan.html")
def judge_plan(run: Run) -> dict[str, Any]:
    """For a run's page: what is judged, how often, and what need not be paid again; nothing for a run that writes."""
    if not run.is_judging:
        return {}
    versions = Version.objects.filter(dialogues__chosen_by__run=run).annotate(count=Count("dialogues"))
    there = judgements_there(run) if run.state == Run.State.DRAFT else 0
    return {"run": run, "versions": versions, "judges": run.rows_of(Stage.JUDGE), "there": there}
