"""Example sets as JSON files: out and in."""

from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.text import slugify
from django.views.decorators.http import require_GET, require_http_methods

from core.downloads import whole_file
from core.permissions import requires
from generation.curation.document import DocumentError
from generation.curation.files import MOST_MEGABYTES, exported, import_set
from generation.curation.forms import ImportForm
from generation.views.curated import fetch_set


@require_GET
@requires("generation.view_exampleset", "export example sets")
def set_export(request: HttpRequest, pk: int) -> HttpResponse:
    row = fetch_set(pk)
    name = f"{slugify(row.name) or 'examples'}-{row.kind}-v{row.version}.json"
    return whole_file(exported(row), name)


@require_http_methods(["GET", "POST"])
@requires("generation.add_exampleset", "import example sets")
def set_import(request: HttpRequest) -> HttpResponse:
    """A file becomes a draft, or a numbered list of what is wrong with it."""
    form = ImportForm(request.POST or None, request.FILES or None)
    problems: list[str] = []
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made = import_set(data=_bytes(given["file"]), by=request.user, name=given["name"], once=given["once"])
        except DocumentError as error:
            problems = error.problems
        else:
            messages.success(request, f"This is {made}, a draft with what the file holds.")
            return redirect(made)
    context = {"form": form, "problems": problems}
    return render(request, "generation/set_import.html", context, status=422 if form.errors or problems else 200)


def _bytes(upload: "UploadedFile[Any]") -> bytes:
    """The file, or just enough of it to be refused as too large."""
    data: bytes = upload.read(MOST_MEGABYTES * 2**20 + 1)
    return data
