"""The balance of a set, and what changed between two sets."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from core.permissions import requires
from dialogues.display import turns_for_template
from generation.curation.comparison import Difference, Entry, compared
from generation.curation.forms import CompareForm, WindowForm
from generation.curation.provenance import content_of, with_provenance
from generation.curation.weighing import USUAL_WINDOW, weigh
from generation.curation.wording import words_changed
from generation.models import ExampleSet
from generation.views.example_sets import fetch_set


@require_GET
@requires("generation.view_exampleset", "see example sets")
def set_balance(request: HttpRequest, pk: int) -> HttpResponse:
    row = fetch_set(pk)
    form = WindowForm(request.GET if "window" in request.GET else {"window": USUAL_WINDOW})
    window = form.cleaned_data["window"] if form.is_valid() else USUAL_WINDOW
    balance, weight = weigh(row, window)
    context = {"set": row, "form": form, "balance": balance, "weight": weight}
    return render(request, "generation/set_balance.html", context, status=422 if form.errors else 200)


@require_GET
@requires("generation.view_exampleset", "see example sets")
def set_compare(request: HttpRequest, pk: int) -> HttpResponse:
    """This set against another of its kind (`with`), its parent or the version before unless one is chosen."""
    row = fetch_set(pk)
    others = ExampleSet.objects.listed().filter(kind=row.kind).exclude(pk=row.pk)
    form = CompareForm(others, request.GET)
    other = form.chosen() or _before(row)
    context = {"set": row, "form": form, "other": other, "any": others.exists()}
    if other is not None:
        found = compared(_entries(other), _entries(row))
        context |= {
            "rows": [_shown(one) for one in found if one.words],
            "same": sum(not one.words for one in found),
            "note": words_changed(other.note, row.note) if other.note != row.note else (),
        }
    return render(request, "generation/set_compare.html", context, status=422 if form.errors else 200)


def _before(row: ExampleSet) -> ExampleSet | None:
    """What the set was cloned from, or its draft, or the newest earlier version of its name."""
    known = row.snapshot_of or row.parent
    earlier = ExampleSet.objects.listed().filter(name=row.name, kind=row.kind, version__lt=row.version)
    return known or earlier.order_by("-version").first()


def _entries(row: ExampleSet) -> list[Entry]:
    return [Entry(one.position, content_of(one), one.dialogue_id) for one in with_provenance(row)]


def _shown(difference: Difference) -> dict[str, object]:
    """An example of one side only comes with its text."""
    alone = difference.after if difference.before is None else difference.before if difference.after is None else None
    after = alone.content.messages_after if alone else None
    return {
        "difference": difference,
        "turns": turns_for_template(alone.content.messages) if alone else None,
        "turns_after": turns_for_template(after) if after else None,
        "topic": (difference.after or difference.before).content.topic,  # type: ignore[union-attr]
    }
