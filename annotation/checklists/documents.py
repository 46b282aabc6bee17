"""A study's checklists: as values, as one Markdown document, and as JSON."""

import json
from collections.abc import Iterator
from typing import Any

from annotation.checklists.entries import Checklist, to_markdown
from annotation.checklists.heds import heds
from annotation.checklists.heds_form import form_file
from annotation.checklists.responsible_nlp import responsible_nlp
from annotation.design.flow import flow_of
from annotation.models import Study
from annotation.reports.notes import IMPORTED, SIMULATED

FORMAT, FORMAT_VERSION = "stephanie-checklists", 1
GAPS = "Answers come from the study’s record as it is now. What it does not know is marked “To write”."


def checklists(study: Study) -> tuple[Checklist, ...]:
    """Of a launched study."""
    flow = flow_of(study)
    return heds(study, flow), responsible_nlp(study, flow)


def as_markdown(study: Study) -> str:
    return to_markdown(f"Checklists of “{study.name}”", _notes(study), checklists(study))


def as_json(study: Study) -> str:
    """One object with every question, its answer and what is left to write."""
    found: dict[str, Any] = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "study": study.name,
        "design_version": study.version,
        "state": study.state,
        "simulated": study.is_simulated,
        "imported": study.is_imported,
        "checklists": {one.slug: one.as_json() for one in checklists(study)},
    }
    return _json(found)


def as_heds_form(study: Study) -> str:
    """The answers as a file that the datasheet's own form uploads."""
    return _json(form_file(heds(study, flow_of(study)).entries))


def checklist_files(study: Study) -> dict[str, str]:
    """The text of each file by its name; none of a draft, whose design is not frozen."""
    if study.is_draft:
        return {}
    return {"checklists.md": as_markdown(study), "checklists.json": as_json(study), "heds.json": as_heds_form(study)}


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def _notes(study: Study) -> Iterator[str]:
    yield GAPS
    if study.is_imported:
        yield IMPORTED
    if study.is_simulated:
        yield SIMULATED
