"""Import a corpus: upload, look at what was read, confirm."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from core.permissions import requires
from dialogues import importing, previews, uploads
from dialogues.formats.registry import FORMATS
from dialogues.forms import ConfirmForm, UploadForm
from dialogues.importing import ImportRefusedError, Options, Source
from dialogues.models import Corpus
from dialogues.previews import Preview

# Uploads that one session may keep; the oldest is dropped.
WAITING = 10
_SESSION = "uploads"


@require_http_methods(["GET", "HEAD", "POST"])
@requires("dialogues.add_corpus", "import corpora")
def upload(request: HttpRequest) -> HttpResponse:
    form = UploadForm(request.POST or None, request.FILES or None)
    known: Corpus | None = None
    if request.method == "POST" and form.is_valid():
        try:
            return redirect("dialogues:import_preview", _keep(request, form.cleaned_data))
        except ImportRefusedError as refused:
            known = refused.corpus
            form.add_error("file", str(refused))
    return render(request, "dialogues/import.html", {"form": form, "known": known})


@require_http_methods(["GET", "HEAD", "POST"])
@requires("dialogues.add_corpus", "import corpora")
def preview(request: HttpRequest, token: str) -> HttpResponse:
    waiting = request.session.get(_SESSION, {}).get(token)
    if waiting is None:
        raise Http404("No such upload.")
    done = Corpus.objects.filter(sha256=waiting["sha256"]).first()
    if done:
        return _already(request, token, done)
    try:
        return _confirm(request, token, waiting)
    except FileNotFoundError:
        return _gone(request, token, waiting["sha256"])


def _confirm(request: HttpRequest, token: str, waiting: dict[str, Any]) -> HttpResponse:
    """Show what was read, with the form; on POST import it. Raises FileNotFoundError if the upload was removed."""
    found = Preview.from_json(uploads.noted(token))
    form = ConfirmForm(request.POST or None, bad=found.report.refused, file_name=waiting["file_name"])
    if request.method == "POST" and form.is_valid():
        try:
            return _import(request, token, waiting, form.cleaned_data)
        except ImportRefusedError as refused:
            if refused.corpus and refused.corpus.sha256 == waiting["sha256"]:
                return _already(request, token, refused.corpus)
            form.add_error(None, str(refused))
    return render(request, "dialogues/import_preview.html", _context(waiting["file_name"], found, form))


def _keep(request: HttpRequest, chosen: dict[str, Any]) -> str:
    """Store the file if it can be imported, and remember it in the session. Raises ImportRefusedError."""
    token, sha256 = uploads.keep(chosen["file"])
    waiting = {
        "sha256": sha256,
        "file_name": chosen["file"].name,
        "file_format": chosen["file_format"],
        "columns": chosen["columns"],
        "deduplicate": chosen["deduplicate"],
    }
    try:
        importing.refuse_known_file(sha256)
        found = previews.read(_source(token, waiting), deduplicate=chosen["deduplicate"])
    except ImportRefusedError:
        uploads.forget(token)
        raise
    uploads.note(token, found.to_json())
    others = dict(request.session.get(_SESSION, {}))
    while len(others) >= WAITING:
        oldest = next(iter(others))
        uploads.forget(oldest)
        del others[oldest]
    request.session[_SESSION] = others | {token: waiting}
    return token


def _source(token: str, waiting: dict[str, Any]) -> Source:
    return Source(
        uploads.path_of(token),
        waiting["file_name"],
        waiting["file_format"],
        waiting.get("columns", {}),
        waiting["sha256"],
    )


def _import(request: HttpRequest, token: str, waiting: dict[str, Any], chosen: dict[str, Any]) -> HttpResponse:
    options = Options(
        skip_bad=chosen.get("skip_bad", False),
        deduplicate=waiting["deduplicate"],
        description=chosen["description"],
        licence=chosen["licence"],
    )
    source = _source(token, waiting)
    imported = importing.import_file(source, name=chosen["name"], by=request.user, options=options)
    uploads.forget(token)
    report = imported.report
    said = f"Imported {report.dialogues:,} dialogues with {report.messages:,} messages."
    if report.refused:
        said += f" {report.refused:,} bad record{' was' if report.refused == 1 else 's were'} left out."
    messages.success(request, said)
    return redirect(imported.corpus)


def _gone(request: HttpRequest, token: str, sha256: str) -> HttpResponse:
    """The upload expired, or another click imported and removed it meanwhile."""
    done = Corpus.objects.filter(sha256=sha256).first()
    if done:
        return _already(request, token, done)
    messages.warning(request, "That upload was removed, as it had waited for a day. Choose the file again.")
    return redirect("dialogues:import")


def _already(request: HttpRequest, token: str, corpus: Corpus) -> HttpResponse:
    """The same file was imported meanwhile, by a second click or by somebody else."""
    uploads.forget(token)
    messages.info(request, "This file is imported; here is its corpus.")
    return redirect(corpus)


def _context(file_name: str, found: Preview, form: ConfirmForm) -> dict[str, Any]:
    report = found.report
    return {
        "file_name": file_name,
        "form": form,
        "report": report,
        "format_label": FORMATS[report.file_format].label,
        "lines": [(name.replace("_", " ").capitalize(), count) for name, count in report.tally.items()],
        "hidden_bad": report.refused - len(report.bad),
        "first": found.first,
        "names": ("A", "B"),
    }
