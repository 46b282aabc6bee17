"""Sets as wholes: make, rename, freeze, clone, delete."""

from django.contrib import messages
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from core.numbers import whole_number
from core.permissions import requires
from generation.curation import versions
from generation.curation.drafts import StaleError
from generation.curation.editing import change_set
from generation.curation.forms import CloneForm, SetForm
from generation.example_sets import load_all
from generation.models import ExampleSet, FrozenError
from generation.views.curated import FROZEN_MEANWHILE, fetch_set, refused


@require_http_methods(["GET", "POST"])
@requires("generation.add_exampleset", "make example sets")
def set_new(request: HttpRequest) -> HttpResponse:
    form = SetForm(request.POST or None, initial={"kind": request.GET.get("kind", "step_by_step")})
    if request.method == "POST" and form.is_valid():
        return redirect(versions.make_set(by=request.user, **form.cleaned_data))
    return render(request, "generation/set_edit.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@requires("generation.change_exampleset", "change example sets")
def set_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Name and note; what somebody else wrote meanwhile is shown beside, never overwritten unasked."""
    row = fetch_set(pk)
    if refused(request, row):
        return redirect(row)
    initial = {"name": row.name, "note": row.note}
    form = SetForm(request.POST or None, with_kind=False, initial=initial)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            change_set(example_set=row, seen=_seen(request), by=request.user, **form.cleaned_data)
        except StaleError:
            return _conflict(request, row, form)
        except FrozenError:
            form.add_error(None, FROZEN_MEANWHILE)
            status = 409
        else:
            return redirect(row)
    status = status if status != 200 else 422 if form.errors else 200
    context = {"form": form, "set": row, "revision": _seen(request) if form.is_bound else row.revision}
    return render(request, "generation/set_edit.html", context, status=status)


@require_http_methods(["GET", "POST"])
@requires("generation.change_exampleset", "freeze example sets")
def set_freeze(request: HttpRequest, pk: int) -> HttpResponse:
    row = fetch_set(pk)
    if request.method == "GET":
        return redirect(row) if row.frozen_at else render(request, "generation/set_freeze.html", {"set": row})
    try:
        versions.freeze(example_set=row, by=request.user)
    except versions.EmptySetError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{row} is frozen. It stays exactly as it is.")
    return redirect(row)


@require_http_methods(["GET", "POST"])
@requires("generation.add_exampleset", "clone example sets")
def set_clone(request: HttpRequest, pk: int) -> HttpResponse:
    row = fetch_set(pk)
    form = CloneForm(request.POST or None, initial={"name": row.name})
    if request.method == "POST" and form.is_valid():
        made = versions.clone(example_set=row, by=request.user, **form.cleaned_data)
        messages.success(request, f"This is {made}, a draft with the same examples as {row}. Change what you like.")
        return redirect(made)
    return render(request, "generation/set_clone.html", {"form": form, "set": row}, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@requires("generation.change_exampleset", "delete example sets")
def set_delete(request: HttpRequest, pk: int) -> HttpResponse:
    row = fetch_set(pk)
    if refused(request, row):
        return redirect(row)
    if request.method == "POST":
        try:
            versions.delete_set(example_set=row, by=request.user)
        except (versions.InUseError, FrozenError) as error:
            messages.error(request, " ".join(getattr(error, "messages", [str(error)])))
            return redirect(row)
        messages.success(request, f"Deleted {row} and its {row.size} examples.")  # type: ignore[attr-defined]
        return redirect("generation:example_sets")
    return render(request, "generation/set_delete.html", {"set": row, "reasons": versions.in_the_way(row)})


def _conflict(request: HttpRequest, row: ExampleSet, form: SetForm) -> HttpResponse:
    now = fetch_set(row.pk)
    return render(request, "generation/set_conflict.html", {"set": now, "form": form}, status=409)


def _seen(request: HttpRequest) -> int:
    """The revision that the page was made of; one that makes no sense fits nothing."""
    given = whole_number(request.POST.get("revision"))
    return -1 if given is None else given


@require_POST
@requires("generation.add_exampleset", "load examples")
def load_examples(request: HttpRequest) -> HttpResponse:
    """Load the sets and prompts that come with the project, and go back to the page that lacked them (`next`)."""
    try:
        added = load_all()
    except IntegrityError:
        # Somebody else's click was faster, and loaded the same.
        added = []
    said = f"Loaded: {', '.join(added)}." if added else "Everything that comes with the project is there already."
    messages.success(request, said)
    there = request.POST.get("next", "")
    known = url_has_allowed_host_and_scheme(there, allowed_hosts=None)
    return redirect(there if known else "generation:example_sets")
