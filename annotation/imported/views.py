"""Import ratings in the browser: upload, look at what was read, confirm."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from annotation.imported.forms import RatingsForm, StudyForm
from annotation.imported.gathering import RatingsRefusedError
from annotation.imported.imported_study import (
    RatingSource,
    import_ratings,
    read_ratings,
    study_of_file,
)
from annotation.imported.previews import RatingPreview
from annotation.imported.rating_rows import RatingChoices
from annotation.models import Study
from core.numbers import count_in_words
from core.permissions import person_of, requires
from dialogues import uploads

_SESSION = "rating_uploads"


@require_http_methods(["GET", "HEAD", "POST"])
@requires("annotation.add_study", "import ratings")
def ratings_import(request: HttpRequest) -> HttpResponse:
    form = RatingsForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            return redirect("ratings_preview", _keep(request, form.cleaned_data))
        except RatingsRefusedError as refused:
            form.add_error("file", str(refused))
    return render(request, "studies/import_ratings.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("annotation.add_study", "import ratings")
def ratings_preview(request: HttpRequest, token: str) -> HttpResponse:
    waiting = uploads.remembered(request.session, _SESSION, token)
    if waiting is None:
        raise Http404("No such upload.")
    try:
        found = RatingPreview.from_json(uploads.noted(token))
    except FileNotFoundError:
        return _gone(request, waiting["sha256"])
    form = StudyForm(request.POST or None, bad=found.refused, file_name=waiting["file_name"])
    if request.method == "POST" and form.is_valid():
        try:
            return _import(request, token, waiting, form.cleaned_data)
        except RatingsRefusedError as refused:
            form.add_error(None, str(refused))
        except FileNotFoundError:
            return _gone(request, waiting["sha256"])
    context = {"form": form, "found": found, "file_name": waiting["file_name"]}
    return render(request, "studies/ratings_preview.html", context, status=422 if form.errors else 200)


def _keep(request: HttpRequest, chosen: dict[str, Any]) -> str:
    """Store the file if it can be read, and remember it in the session. Raises RatingsRefusedError."""
    token, sha256 = uploads.keep(chosen["file"])
    waiting = {
        "sha256": sha256,
        "file_name": chosen["file"].name,
        "columns": chosen["columns"],
        "labels": list(chosen["labels"]),
    }
    try:
        found = read_ratings(_source(token, waiting))
    except RatingsRefusedError:
        uploads.forget(token)
        raise
    uploads.note(token, RatingPreview.of(found).to_json())
    uploads.remember(request.session, _SESSION, token, waiting)
    return token


def _source(token: str, waiting: dict[str, Any]) -> RatingSource:
    choices = RatingChoices(waiting["columns"], tuple(waiting["labels"]))
    return RatingSource(uploads.path_of(token), waiting["file_name"], choices)


def _import(request: HttpRequest, token: str, waiting: dict[str, Any], chosen: dict[str, Any]) -> HttpResponse:
    imported = import_ratings(
        name=chosen["name"],
        file=_source(token, waiting),
        by=person_of(request),
        corpus=chosen["corpus"].name if chosen["corpus"] else "",
        skip_bad=chosen.get("skip_bad", False),
    )
    uploads.forget(token)
    found = imported.found
    said = f"Imported {count_in_words(found.report.scores, 'score')} by {count_in_words(found.raters, 'rater')}."
    if bad := found.report.refused:
        said += f" {count_in_words(bad, 'bad row')} {'was' if bad == 1 else 'were'} left out."
    messages.success(request, said)
    return redirect(imported.study)


def _gone(request: HttpRequest, sha256: str) -> HttpResponse:
    """The upload expired, or another click has imported it."""
    study: Study | None = study_of_file(sha256)
    if study:
        messages.info(request, "This file is imported; here is its study.")
        return redirect(study)
    messages.warning(request, "That upload was removed, as it had waited for a day. Choose the file again.")
    return redirect("ratings_import")
