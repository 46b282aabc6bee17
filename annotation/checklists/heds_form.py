"""A filled Human Evaluation Datasheet as the file that its own form, version 3.0, downloads and uploads. Pure.

The form (Belz and Thomson 2025, https://nlp-heds.github.io) keeps an object for each field: `data` has the value by
quality criterion, "" for a question that is asked once. An option of a choice is a field of its own, FIELD-NUMBER.
"""

from collections.abc import Iterable
from typing import Any

from annotation.checklists.entries import Entry

CRITERIA = "heds-criteria-criterion"


def form_file(entries: Iterable[Entry]) -> dict[str, Any]:
    """The fields of the entries that have an answer; whoever uploads the file sees the others as blank."""
    fields: dict[str, Any] = {}
    criteria: dict[str, bool] = {}
    for question, answer, criterion in ((entry.question, entry.answer, entry.criterion) for entry in entries):
        if criterion:
            # The form opens the first one.
            criteria.setdefault(criterion, not criteria)
        if not question.field:
            continue
        for choice in answer.choices:
            option = _field(fields, f"{question.field}-{choice.partition('.')[0]}", question.number)
            option["data"][criterion] = True
            option.setdefault("text", {})[criterion] = choice
        if answer.text:
            name = f"{question.field}-other_text" if answer.choices else question.field
            _field(fields, name, question.number)["data"][criterion] = answer.text
    fields[CRITERIA] = {"data": {}, "control": criteria, "text": {}}
    return fields


def _field(fields: dict[str, Any], name: str, number: str) -> dict[str, Any]:
    found: dict[str, Any] = fields.setdefault(name, {"data": {}, "control": {}, "number": number})
    return found
