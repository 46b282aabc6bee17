"""The examples of a draft set: add, change, remove and order them."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.numbers import whole_number, whole_numbers
from core.permissions import requires
from dialogues.display import turns_for_template
from dialogues.models import Dialogue
from generation.background import example_background
from generation.curation import provenance
from generation.curation.comparison import FIELD_NAMES
from generation.curation.content import FIELDS, MOST_EXAMPLES, PAIRS, Content, ContentError, TwinError
from generation.curation.editing import StaleError, add_example, change_example, moved, remove_example, reorder
from generation.curation.forms import BesideForm, ExampleForm, SearchForm, field_of, values_of
from generation.curation.provenance import provenance_of
from generation.models import Example, ExampleSet, FrozenError
from generation.views.example_sets import FROZEN_MEANWHILE, fetch_example, fetch_set, refused

DIALOGUES_A_PAGE = 25


@require_http_methods(["GET", "POST"])
@requires("generation.change_exampleset", "add examples")
def example_new(request: HttpRequest, pk: int) -> HttpResponse:
    """Write an example by hand, in a plain-text box."""
    row = fetch_set(pk)
    if request.method == "GET" and refused(request, row):
        return redirect(row)
    form = ExampleForm(row.kind, request.POST or None)
    status = 200
    if form.is_bound:
        status = 422
        if form.is_valid():
            fields = {"source": Example.Source.HAND, **form.content.as_fields()}
            status, added = _added(request, row, form, fields)
            if added:
                return redirect(added)
    return render(request, "generation/example_new.html", {"set": row, "form": form}, status=status)


@require_GET
@requires("generation.change_exampleset", "add examples")
def example_choose(request: HttpRequest, pk: int) -> HttpResponse:
    """Dialogues of a corpus or a run that could become examples of this set."""
    row = fetch_set(pk)
    if refused(request, row):
        return redirect(row)
    form = SearchForm(request.GET)
    form.is_valid()
    given = {name: form.cleaned_data.get(name) for name in ("corpus", "run")}
    version = form.cleaned_data.get("version")
    found = provenance.candidates(
        row, **given, version=version.pk if version else "", search=form.cleaned_data.get("q", "")
    )
    page = Paginator(found.defer("traits_1", "traits_2"), DIALOGUES_A_PAGE).get_page(request.GET.get("page"))
    rows = [{"dialogue": one, "begins": one.messages[0][1]} for one in page]
    context = {"set": row, "form": form, "page": page, "rows": rows, "filtered": any(request.GET.values())}
    return render(request, "generation/example_choose.html", context)


@require_http_methods(["GET", "POST"])
@requires("generation.change_exampleset", "add examples")
def example_take(request: HttpRequest, pk: int, dialogue: int) -> HttpResponse:
    """Take one dialogue as it is, with its theme and traits; for a pair, with one of its rewrites."""
    row = fetch_set(pk)
    if request.method == "GET" and refused(request, row):
        return redirect(row)
    rows = Dialogue.objects.select_related("corpus", "version", "origin", "output__call__run")
    found = get_object_or_404(rows, pk=dialogue, corpus__is_scratch=False)
    rewrites = provenance.rewrites_of(found) if row.kind == PAIRS else []
    after = _chosen(request, rewrites)
    form = BesideForm(request.POST if request.method == "POST" else None, initial=_beside(found))
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid() and row.kind == PAIRS and after is None:
            form.add_error(None, "A pair needs a text after: nothing was written from this dialogue yet.")
        elif form.is_valid():
            status, added = _added(request, row, form, _taken(found, after, form))
            if added:
                again = f"{reverse('generation:example_choose', args=[row.pk])}?{request.GET.urlencode()}"
                return redirect(again if "again" in request.POST else added)
    context = {
        "set": row,
        "dialogue": found,
        "form": form,
        "turns": turns_for_template(found.transcript),
        "rewrites": [{"one": one, "turns": turns_for_template(one.transcript)} for one in rewrites],
        "after": after,
    }
    return render(request, "generation/example_take.html", context, status=status)


def _added(request: HttpRequest, row: ExampleSet, form: Any, fields: dict[str, Any]) -> tuple[int, str | None]:
    """(status, where to go once the example is in the set); errors go to the form."""
    try:
        example = add_example(example_set=row, by=request.user, **fields)
    except FrozenError:
        form.add_error(None, FROZEN_MEANWHILE)
        return 409, None
    except TwinError as error:
        if Content.of(row.kind, **{name: fields[name] for name in FIELDS}) == error.content:
            # A second click on the same form: the first one brought it in.
            messages.info(request, f"It is in the set, as example {error.position}.")
            return 200, f"{row.get_absolute_url()}#example-{error.position}"
        form.add_error(field_of(error, form), f"{str(error)[:1].upper()}{str(error)[1:]}.")
        return 422, None
    except ContentError as error:
        form.add_error(field_of(error, form), f"{str(error)[:1].upper()}{str(error)[1:]}.")
        return 422, None
    messages.success(request, f"Example {example.position} is in the set.")
    return 200, f"{row.get_absolute_url()}#example-{example.position}"


def _taken(found: Dialogue, after: Dialogue | None, form: BesideForm) -> dict[str, Any]:
    return {
        "messages": found.messages,
        "messages_after": after.messages if after else None,
        "source": provenance.source_of(found),
        "dialogue": found,
        "dialogue_after": after,
        **form.beside(),
    }


def _chosen(request: HttpRequest, rewrites: list[Dialogue]) -> Dialogue | None:
    """The rewrite asked for, or the first."""
    wanted = request.POST.get("after", request.GET.get("after", ""))
    return next((one for one in rewrites if str(one.pk) == wanted), rewrites[0] if rewrites else None)


def _beside(dialogue: Dialogue) -> dict[str, str]:
    known = example_background(dialogue)
    return {"theme": known.theme, "traits_1": "\n".join(known.traits_1), "traits_2": "\n".join(known.traits_2)}


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
                return _edit_conflict(request, fetch_example(pk), form)
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


def _edit_conflict(request: HttpRequest, now: Example, mine: ExampleForm) -> HttpResponse:
    """Show both texts, each in its own form: one click keeps mine, the other keeps theirs."""
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


@require_POST
@requires("generation.change_exampleset", "order examples")
def set_order(request: HttpRequest, pk: int) -> HttpResponse:
    """The whole order (`example` once for each, as a drag leaves them), or one `example` and its new place `to`."""
    row, wants_json = fetch_set(pk), "application/json" in request.headers.get("Accept", "")
    order = whole_numbers(request.POST.getlist("example")[: MOST_EXAMPLES + 1])
    place, seen = whole_number(request.POST.get("to")), whole_number(request.POST.get("revision"))
    if place is not None and order:
        order = moved(list(row.examples.values_list("pk", flat=True)), order[0], place)
    try:
        reorder(example_set=row, order=order, seen=-1 if seen is None else seen, by=request.user)
    except FrozenError:
        if wants_json:
            return JsonResponse({"detail": FROZEN_MEANWHILE}, status=409)
        messages.error(request, FROZEN_MEANWHILE)
        return redirect(row)
    except StaleError:
        return _order_conflict(request, row, order)
    if wants_json:
        # The page has moved it already and needs only the revision for its next move.
        return JsonResponse({"revision": fetch_set(pk).revision})
    anchor = "" if place is None else f"#example-{place}"
    return redirect(f"{row.get_absolute_url()}{anchor}")


def _order_conflict(request: HttpRequest, row: ExampleSet, order: list[int]) -> HttpResponse:
    """Show both orders; mine can still be chosen if it has the same examples."""
    now = {example.pk: example for example in row.examples.all()}
    mine = [now[pk] for pk in dict.fromkeys(order) if pk in now]
    context = {"set": fetch_set(row.pk), "theirs": now.values(), "mine": mine, "possible": len(mine) == len(now)}
    return render(request, "generation/order_conflict.html", context, status=409)
