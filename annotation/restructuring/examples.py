"""Add an approved restructuring to an example set for models."""

from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from annotation.models import Restructuring
from annotation.models.people import profile_of
from annotation.restructuring.review import ReviewError
from generation.curation.content import ContentError
from generation.curation.editing import add_example
from generation.models import Example, ExampleKind, ExampleSet


def add_to(example_set: ExampleSet, *, restructuring: Restructuring, note: str, by: User) -> Example:
    """Add both texts with the operations to a further-split set, or the new text to another; raises ReviewError."""
    original, result = restructuring.original, restructuring.result
    if result is None:
        raise ReviewError("Only an approved restructuring can become an example.")
    shown: dict[str, Any] = {
        "theme": result.theme,
        "traits_1": result.traits_1,
        "traits_2": result.traits_2,
        "note": note,
        "source": Example.Source.RESTRUCTURING,
    }
    if example_set.kind == ExampleKind.FURTHER_SPLIT:
        shown |= {
            "messages": original.messages,
            "messages_after": result.messages,
            "dialogue": original,
            "dialogue_after": result,
            "operations": log_of(restructuring),
        }
    else:
        shown |= {"messages": result.messages, "dialogue": result}
    try:
        return add_example(example_set=example_set, by=by, **shown)
    except (ContentError, ValidationError) as error:
        words = " ".join(error.messages) if isinstance(error, ValidationError) else f"{error}."
        raise ReviewError(f"Not added: {words}") from error


def log_of(restructuring: Restructuring) -> list[dict[str, Any]]:
    """Every operation with its number, its person's pseudonym, and its time; `operation` can be replayed."""
    rows = list(restructuring.operations.select_related("person__profile").order_by("number"))
    people = {row.person_id: row.person for row in rows}
    names = {pk: profile_of(person).pseudonym for pk, person in people.items()}
    return [
        {"number": row.number, "by": names[row.person_id], "time": row.at.isoformat(), "operation": row.body}
        for row in rows
    ]
