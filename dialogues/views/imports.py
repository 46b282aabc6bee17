"""Import a corpus: upload, look at what was read, confirm."""

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods
from django_htmx.http import HttpResponseClientRedirect

from core.numbers import asked_text, count_in_words
from core.permissions import person_of, requires
from dialogues import import_jobs, importing, previews, tasks, uploads
from dialogues.formats.registry import FORMATS
from dialogues.import_forms import ConfirmForm, UploadForm
from dialogues.importing import ImportRefusedError
from dialogues.models import Corpus, ImportJob
from dialogues.previews import Preview
from dialogues.views.reading_anew import Forms, read_anew
from dialogues.views.reading_in_words import in_words
from dialogues.waiting import Waiting


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
    return render(request, "dialogues/import.html", {"form": form, "known": known, "formats": FORMATS.values()})


@require_http_methods(["GET", "HEAD", "POST"])
@requires("dialogues.add_corpus", "import corpora")
def preview(request: HttpRequest, token: str) -> HttpResponse:
    waiting = Waiting.of_session(request.session, token)
    if waiting is None:
        raise Http404("No such upload.")
    done = Corpus.objects.filter(sha256=waiting.sha256).first()
    if done:
        return _already(request, waiting, done)
    if job := ImportJob.objects.open().filter(token=token).first():
        return redirect(job)
    if name := asked_text(request.GET, "importing"):
        return _watched(request, waiting, name)
    try:
        return _answer(request, waiting)
    except FileNotFoundError:
        return _gone(request, waiting)


def _answer(request: HttpRequest, waiting: Waiting) -> HttpResponse:
    """Show what was read; on POST read it anew or import it. Raises FileNotFoundError if the upload was removed."""
    found = Preview.from_json(uploads.noted(waiting.token))
    forms = Forms.of(request, waiting, found)
    confirm = ConfirmForm((request.POST or None) if forms.is_about_import else None, waiting, found)
    if request.method == "POST":
        if not forms.is_about_import:
            answer = read_anew(request, forms, waiting, found)
        elif "show" in request.POST:
            return _show_masked(request, waiting, confirm)
        else:
            answer = _import_if_valid(request, waiting, found, confirm)
        if answer:
            return answer
    return render(request, "dialogues/import_preview.html", _context(waiting, found, forms, confirm))


def _show_masked(request: HttpRequest, waiting: Waiting, form: ConfirmForm) -> HttpResponse:
    """The page once more with what is ticked, so that the first dialogues are as an import would store them."""
    replace(waiting, mask=form.mask_now).keep(request.session)
    return redirect("dialogues:import_preview", waiting.token)


def _import_if_valid(request: HttpRequest, waiting: Waiting, found: Preview, form: ConfirmForm) -> HttpResponse | None:
    if running := _earlier_click(request, waiting, asked_text(request.POST, "name")):
        return _to_waiting_page(waiting, running)
    if found.problem or not form.is_valid():
        return None
    try:
        return _import(request, waiting, form.cleaned_data)
    except ImportRefusedError as refused:
        if refused.corpus and refused.corpus.sha256 == waiting.sha256:
            return _already(request, waiting, refused.corpus)
        if running := _earlier_click(request, waiting, form.cleaned_data["name"]):
            return _to_waiting_page(waiting, running)
        form.add_error(None, str(refused))
    return None


def _keep(request: HttpRequest, chosen: dict[str, Any]) -> str:
    """Store the file if it can be imported, and remember it in the session. Raises ImportRefusedError."""
    token, sha256 = uploads.keep(chosen["file"])
    reading = {name: chosen[name] for name in ("file_format", "columns", "deduplicate")}
    try:
        importing.refuse_known_file(sha256)
        waiting, found = previews.look(Waiting(token, sha256, chosen["file"].name, **reading))
    except ImportRefusedError:
        uploads.forget(token)
        raise
    uploads.note(token, found.to_json())
    waiting.keep(request.session)
    return token


_FACTS = ("description", "licence", "source", "personal_data", "consent")


def _import(request: HttpRequest, waiting: Waiting, chosen: dict[str, Any]) -> HttpResponse:
    options = waiting.options(
        skip_bad=chosen.get("skip_bad", False),
        keep_names=chosen.get("keep_names", False),
        mask=tuple(chosen.get("mask", ())),
        **{name: chosen[name] for name in _FACTS},
    )
    source, name = waiting.source(), chosen["name"]
    if source.path.stat().st_size > import_jobs.LARGE:
        job = import_jobs.ordered(source, waiting.token, name=name, options=options, by=request.user, wake=tasks.wake)
        return redirect(job)
    imported = importing.import_file(source, name=name, by=request.user, options=options)
    uploads.forget(waiting.token)
    report = imported.report
    said = f"Imported {count_in_words(report.dialogues, 'dialogue')} with {count_in_words(report.messages, 'message')}."
    if report.refused:
        said += f" {count_in_words(report.refused, 'bad record')} {'was' if report.refused == 1 else 'were'} left out."
    messages.success(request, said)
    return redirect(imported.corpus)


def _gone(request: HttpRequest, waiting: Waiting) -> HttpResponse:
    """The upload expired, or another click imported and removed it meanwhile."""
    done = Corpus.objects.filter(sha256=waiting.sha256).first()
    if done:
        return _already(request, waiting, done)
    messages.warning(request, "That upload was removed, as it had waited for a day. Choose the file again.")
    return redirect("dialogues:import")


def _already(request: HttpRequest, waiting: Waiting, corpus: Corpus) -> HttpResponse:
    """The same file was imported meanwhile, by a second click or by somebody else."""
    uploads.forget(waiting.token)
    messages.info(request, "This file is imported; here is its corpus.")
    return _led_to(request, corpus.get_absolute_url())


def _earlier_click(request: HttpRequest, waiting: Waiting, name: str) -> Corpus | None:
    """The corpus of this name that the same person's earlier click is filling from a file of this name."""
    filling = Corpus.objects.filter(filled_at__isnull=False, created_by=person_of(request))
    return filling.filter(name=name, file_name=waiting.file_name).first()


def _to_waiting_page(waiting: Waiting, running: Corpus) -> HttpResponse:
    where = reverse("dialogues:import_preview", args=[waiting.token])
    return redirect(f"{where}?{urlencode({'importing': running.name})}")


def _watched(request: HttpRequest, waiting: Waiting, name: str) -> HttpResponse:
    """A second click came while the first one imports: a page that asks again, and leads on once that has ended."""
    if not _earlier_click(request, waiting, name):
        return _led_to(request, reverse("dialogues:import_preview", args=[waiting.token]))
    is_asked_again = bool(request.headers.get("HX-Request"))
    template = "dialogues/_import_running.html" if is_asked_again else "dialogues/import_running.html"
    return render(request, template, {"waiting": waiting, "name": name})


def _led_to(request: HttpRequest, where: str) -> HttpResponse:
    """To another page, also where a part of this one asked."""
    return HttpResponseClientRedirect(where) if request.headers.get("HX-Request") else redirect(where)


def _context(waiting: Waiting, found: Preview, forms: Forms, confirm: ConfirmForm) -> dict[str, Any]:
    mask = confirm.mask_now
    return {
        "waiting": waiting,
        "found": found,
        "report": found.report,
        "forms": forms,
        "form": confirm,
        "first": [excerpt.masked(mask) for excerpt in found.first],
        "names": ("A", "B"),
        **in_words(found),
    }
