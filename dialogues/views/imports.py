"""Bring a corpus in: upload, look at what was read, confirm."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from dialogues import importing, uploads
from dialogues.display import turns_for_template
from dialogues.formats.records import Record
from dialogues.formats.registry import FORMATS
from dialogues.forms import ConfirmForm, UploadForm
from dialogues.importing import ImportRefusedError, Options, Report, Source
from dialogues.models import Corpus
from dialogues.permissions import requires

# Uploads one session may have waiting; the oldest gives way.
WAITING = 10
SHOWN = 3
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
    source = Source(uploads.path_of(token), waiting["file_name"], waiting["file_format"])
    try:
        return _confirm(request, token, source, waiting)
    except FileNotFoundError:
        return _gone(request, token, waiting["sha256"])


def _confirm(request: HttpRequest, token: str, source: Source, waiting: dict[str, Any]) -> HttpResponse:
    """What was read, with the form; on POST the import. Raises FileNotFoundError once the upload is removed."""
    report, first = importing.preview(source, deduplicate=waiting["deduplicate"], shown=SHOWN)
    form = ConfirmForm(request.POST or None, bad=report.refused, file_name=source.file_name)
    if request.method == "POST" and form.is_valid():
        try:
            return _import(request, token, source, waiting, form.cleaned_data)
        except ImportRefusedError as refused:
            if refused.corpus and refused.corpus.sha256 == waiting["sha256"]:
                return _already(request, token, refused.corpus)
            form.add_error(None, str(refused))
    return render(request, "dialogues/import_preview.html", _context(source, report, first, form))


def _keep(request: HttpRequest, chosen: dict[str, Any]) -> str:
    """Store the file if it can be imported at all, and note it in the session. Raises ImportRefusedError."""
    token = uploads.keep(chosen["file"])
    source = Source(uploads.path_of(token), chosen["file"].name, chosen["file_format"])
    try:
        sha256 = importing.digest(source.path)
        importing.refuse_known_file(sha256)
        importing.preview(source, deduplicate=chosen["deduplicate"], shown=0)
    except ImportRefusedError:
        uploads.forget(token)
        raise
    waiting = dict(request.session.get(_SESSION, {}))
    while len(waiting) >= WAITING:
        oldest = next(iter(waiting))
        uploads.forget(oldest)
        del waiting[oldest]
    waiting[token] = {
        "sha256": sha256,
        "file_name": source.file_name,
        "file_format": source.file_format,
        "deduplicate": chosen["deduplicate"],
    }
    request.session[_SESSION] = waiting
    return token


def _import(
    request: HttpRequest, token: str, source: Source, waiting: dict[str, Any], chosen: dict[str, Any]
) -> HttpResponse:
    options = Options(
        skip_bad=chosen.get("skip_bad", False),
        deduplicate=waiting["deduplicate"],
        description=chosen["description"],
        licence=chosen["licence"],
    )
    imported = importing.import_file(source, name=chosen["name"], by=request.user, options=options)
    uploads.forget(token)
    report = imported.report
    said = f"Imported {report.dialogues:,} dialogues with {report.messages:,} messages."
    if report.refused:
        said += f" {report.refused:,} bad record{' was' if report.refused == 1 else 's were'} left out."
    messages.success(request, said)
    return redirect(imported.corpus)


def _gone(request: HttpRequest, token: str, sha256: str) -> HttpResponse:
    """The file waited too long, or another click imported and removed it while this one was reading."""
    done = Corpus.objects.filter(sha256=sha256).first()
    if done:
        return _already(request, token, done)
    messages.warning(request, "That upload was removed, as it had waited for a day. Choose the file again.")
    return redirect("dialogues:import")


def _already(request: HttpRequest, token: str, corpus: Corpus) -> HttpResponse:
    """The same file was imported since, by a second click or by somebody else."""
    uploads.forget(token)
    messages.info(request, "This file is imported; here is its corpus.")
    return redirect(corpus)


def _context(source: Source, report: Report, first: list[Record], form: ConfirmForm) -> dict[str, Any]:
    return {
        "file_name": source.file_name,
        "form": form,
        "report": report,
        "format_label": FORMATS[report.file_format].label,
        "lines": [(name.replace("_", " ").capitalize(), count) for name, count in report.tally.items()],
        "hidden_bad": report.refused - len(report.bad),
        "first": [{"record": record, "turns": turns_for_template(record.transcript)} for record in first],
        "names": ("A", "B"),
    }
