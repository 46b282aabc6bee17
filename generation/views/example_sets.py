"""Example sets as wholes: list, read, make, rename, freeze, clone, delete, export and import."""

from itertools import groupby
from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Paginator
from django.db import IntegrityError
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.text import slugify
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.downloads import whole_file
from core.json_documents import DocumentError
from core.numbers import whole_number
from core.permissions import requires
from core.returning import back
from dialogues.display import turns_for_template
from dialogues.transcript import Transcript
from generation.curation import versions
from generation.curation.editing import StaleError, change_set
from generation.curation.files import MOST_MEGABYTES, exported, import_set
from generation.curation.forms import CloneForm, ImportForm, SetForm
from generation.curation.provenance import privacy_notices, provenance_of, with_provenance
from generation.example_sets import load_all
from generation.models import Example, ExampleKind, ExampleSet, FrozenError

SETS_A_PAGE = 40
CAPTIONS = {
    ExampleKind.SINGLE_STEP: "What models are told not to write: every reply in one message.",
    ExampleKind.STEP_BY_STEP: "What models are asked to write: several short messages in a row.",
    ExampleKind.FURTHER_SPLIT: "Step-by-step dialogues, and what a person made of them.",
}
FROZEN = "%s is frozen and never changes. Clone it, and change the new version."
FROZEN_MEANWHILE = (
    "It was frozen since you opened this page. Nothing was saved: clone the set and change the new version."
)


def fetch_set(pk: int) -> ExampleSet:
    rows = ExampleSet.objects.select_related("created_by", "parent", "snapshot_of").annotate(size=Count("examples"))
    return get_object_or_404(rows, pk=pk)


def fetch_example(pk: int) -> Example:
    links = ("example_set", "dialogue__corpus", "dialogue__version", "dialogue_after__version")
    return get_object_or_404(Example.objects.select_related(*links), pk=pk)


def refused(request: HttpRequest, example_set: ExampleSet) -> bool:
    """Whether the set is frozen; if so, a message says what to do instead."""
    if example_set.frozen_at is None:
        return False
    messages.error(request, FROZEN % example_set)
    return True


@require_GET
@requires("generation.view_exampleset", "see example sets")
def example_sets(request: HttpRequest) -> HttpResponse:
    """Every version, those of one name together."""
    search, kind = request.GET.get("q", "").strip(), request.GET.get("kind", "")
    rows = _found(search, kind).annotate(size=Count("examples", distinct=True)).select_related("created_by")
    rows = rows.annotate(run_count=Count("run_stages__run", distinct=True)).order_by("kind", "name", "-version")
    page = Paginator(rows, SETS_A_PAGE).get_page(request.GET.get("page"))
    groups = [
        {"label": ExampleKind(kind).label, "caption": CAPTIONS[ExampleKind(kind)], "names": _by_name(list(found))}
        for kind, found in groupby(page, key=lambda row: row.kind)
    ]
    context = {"page": page, "groups": groups, "search": search, "kind": kind, "kinds": ExampleKind.choices}
    return render(request, "generation/example_sets.html", context)


@require_GET
@requires("generation.view_exampleset", "see example sets")
def example_set(request: HttpRequest, pk: int) -> HttpResponse:
    row = fetch_set(pk)
    examples = [_shown(example) for example in with_provenance(row)]
    others = ExampleSet.objects.listed().filter(name=row.name, kind=row.kind).exclude(pk=row.pk)
    context = {
        "set": row,
        "examples": examples,
        "notices": privacy_notices(row),
        "runs": versions.runs_with(row),
        "others": others,
        "in_the_way": versions.in_the_way(row),
        "may_change": row.frozen_at is None and request.user.has_perm("generation.change_exampleset"),
    }
    return render(request, "generation/example_set.html", context)


def _found(search: str, kind: str) -> QuerySet[ExampleSet]:
    rows = ExampleSet.objects.listed()
    if search and "\x00" not in search:
        rows = rows.filter(name__icontains=search)
    return rows.filter(kind=kind) if kind in ExampleKind.values else rows


def _by_name(rows: list[ExampleSet]) -> list[dict[str, object]]:
    """The versions of each name, newest first as they come."""
    return [{"name": name, "versions": list(found)} for name, found in groupby(rows, key=lambda row: row.name)]


def _shown(example: Example) -> dict[str, object]:
    after = example.messages_after
    return {
        "example": example,
        "turns": turns_for_template(Transcript.of(example.messages)),
        "turns_after": turns_for_template(Transcript.of(after)) if after else None,
        "provenance": provenance_of(example),
    }


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
    """Change name and note; what somebody else wrote meanwhile is shown beside, never overwritten silently."""
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
        messages.success(request, f"{row} is frozen. It can no longer change.")
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
    """The revision that the page was made of; -1, which fits none, if it is invalid."""
    given = whole_number(request.POST.get("revision"))
    return -1 if given is None else given


@require_POST
@requires("generation.add_exampleset", "load examples")
def load_examples(request: HttpRequest) -> HttpResponse:
    """Load the sets and prompts that come with the project, and go back to the page that lacked them (`next`)."""
    try:
        added = load_all()
    except IntegrityError:
        # Somebody else loaded the same at the same moment.
        added = []
    said = f"Loaded: {', '.join(added)}." if added else "Everything that the project includes is already loaded."
    messages.success(request, said)
    return back(request, "generation:example_sets")


@require_GET
@requires("generation.view_exampleset", "export example sets")
def set_export(request: HttpRequest, pk: int) -> HttpResponse:
    row = fetch_set(pk)
    name = f"{slugify(row.name) or 'examples'}-{row.kind}-v{row.version}.json"
    return whole_file(exported(row), name)


@require_http_methods(["GET", "POST"])
@requires("generation.add_exampleset", "import example sets")
def set_import(request: HttpRequest) -> HttpResponse:
    """Make a draft from a file, or list what is wrong with it."""
    form = ImportForm(request.POST or None, request.FILES or None)
    problems: list[str] = []
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made = import_set(data=_bytes(given["file"]), by=request.user, name=given["name"], once=given["once"])
        except DocumentError as error:
            problems = error.problems
        else:
            messages.success(request, f"This is {made}, a draft made from the file.")
            return redirect(made)
    context = {"form": form, "problems": problems}
    return render(request, "generation/set_import.html", context, status=422 if form.errors or problems else 200)


def _bytes(upload: "UploadedFile[Any]") -> bytes:
    """The file, or just enough of it to be refused as too large."""
    data: bytes = upload.read(MOST_MEGABYTES * 2**20 + 1)
    return data
