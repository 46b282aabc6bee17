"""Change or remove one example of a draft; two people on one example both keep their text."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from core.permissions import requires
from generation.curation.comparison import FIELD_NAMES
from generation.curation.content import ContentError
from generation.curation.drafts import StaleError
from generation.curation.editing import change_example, remove_example
from generation.curation.forms import ExampleForm, field_of, values_of
from generation.curation.provenance import provenance_of
from generation.models import Example, FrozenError
from generation.views.curated import FROZEN_MEANWHILE, fetch_example, refused


@require_http_methods(["GET", "POST"])
@requires("generation.change_exampleset", "change examples")
def example_edit(request: HttpRequest, pk: int) -> HttpResponse:
    example = fetch_example(pk)
    if request.method == "GET" and refused(request, example.example_set):
        return redirect(example.example_set)
    form = ExampleForm(example.example_set.kind, request.POST or None, example=example)
    status = 200
    if form.is_bound:
        status = 422
        if form.is_valid():
            try:
                change_example(example=example, seen=_seen(form), content=form.content, by=request.user)
            except StaleError:
                return _conflict(request, fetch_example(pk), form)
            except FrozenError:
                form.add_error(None, FROZEN_MEANWHILE)
                status = 409
            except ContentError as error:
                form.add_error(field_of(error, form), f"{str(error)[:1].upper()}{str(error)[1:]}.")
            else:
                messages.success(request, f"Example {example.position} is saved.")
                return redirect(f"{example.example_set.get_absolute_url()}#example-{example.position}")
    context = {"set": example.example_set, "example": example, "form": form, "provenance": provenance_of(example)}
    return render(request, "generation/example_edit.html", context, status=status)


@require_http_methods(["GET", "POST"])
@requires("generation.change_exampleset", "remove examples")
def example_remove(request: HttpRequest, pk: int) -> HttpResponse:
    example = fetch_example(pk)
    if refused(request, example.example_set):
        return redirect(example.example_set)
    if request.method == "GET":
        return render(request, "generation/example_remove.html", {"set": example.example_set, "example": example})
    try:
        remove_example(example=example, by=request.user)
    except FrozenError:
        messages.error(request, FROZEN_MEANWHILE)
    else:
        messages.success(request, f"Example {example.position} is out of the set.")
    return redirect(example.example_set)


def _seen(form: ExampleForm) -> int:
    given = form.cleaned_data.get("revision")
    return -1 if given is None else given


def _conflict(request: HttpRequest, now: Example, mine: ExampleForm) -> HttpResponse:
    """Both texts, each in a form of its own: one click keeps mine over theirs, the other lets theirs stand."""
    theirs = values_of(now)
    labels: dict[str, Any] = {"messages": mine.fields["messages"].label, "messages_after": "After", **FIELD_NAMES}
    rows = [
        {"name": name, "label": label, "mine": mine.data.get(name, "").replace("\r\n", "\n"), "theirs": theirs[name]}
        for name, label in labels.items()
        if name in mine.fields
    ]
    for row in rows:
        row["differs"] = row["mine"].strip() != row["theirs"].strip()
    context = {"set": now.example_set, "example": now, "rows": rows}
    return render(request, "generation/example_conflict.html", context, status=409)
