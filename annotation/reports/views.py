"""A study's report, like a page of a paper, and its files."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.text import slugify
from django.views.decorators.http import require_GET

from annotation.design.plan_record import plan_of
from annotation.models import Study
from annotation.reports import unblinding
from annotation.reports.archive import report_files
from annotation.reports.chat_exports import chats_jsonl
from annotation.reports.exports import marked, ratings_csv
from annotation.reports.figures import FIGURES, drawable
from annotation.reports.findings import Findings, Key
from annotation.reports.lead import lead
from annotation.reports.loading import findings_at_once
from annotation.reports.notes import listed, screened_out_note
from annotation.reports.plan_departures import departures
from annotation.reports.preference_findings import Preferences, preferences_result
from annotation.reports.preference_tables import preference_tables
from annotation.reports.system_preference_tables import answers_table
from annotation.reports.tables import study_tables
from core.archives import zipped
from core.computation_views import outdated, waiting_page
from core.computations import Answer, answer
from core.downloads import TABLE_FORMS, csv_form, inline, streamed_file, table_file, whole_file
from core.permissions import requires
from core.tables import Table
from dialogues.audit import AuditVerb
from dialogues.charts import FILE_FORMATS, THEMES, ThemeName, on_paper, rendered
from dialogues.models import AuditEvent

# The tables that can be shown before there are scores.
WITHOUT_RATINGS = ("table-4", "table-5", "chats")


@require_GET
@requires("annotation.view_study", "read reports")
def study_report(request: HttpRequest, pk: int) -> HttpResponse:
    """The report; while the study is being rated and blind, only after somebody has unblinded it."""
    study = studied(pk)
    if unblinding.must_ask(study):
        return render(request, "reports/unblind.html", {"study": study})
    if study.state == Study.State.CLOSED:
        # Reading it can no longer influence ratings, but whoever settles scores must know that it was read.
        unblinding.unblind(study=study, by=request.user, how="opened the report of the closed study")
    answered = _at_once(study)
    if answered.found is None:
        return _wait(request, study, answered)
    context = _preferences(study, answered.found) if study.compares else _scores(request, study, answered.found)
    return render(request, "reports/study_report.html", context | outdated(request, answered))


def _at_once(study: Study) -> Answer[Any]:
    """Findings, or Preferences of a study of pairs, that are there or quick to compute; or who computes them."""
    return answer(preferences_result(study)) if study.compares else findings_at_once(study)


def _wait(request: HttpRequest, study: Study, answered: Answer[Any]) -> HttpResponse:
    """What a page or file shows until there are findings."""
    assert answered.computation is not None
    crumbs = [(reverse("studies"), "Studies"), (study.get_absolute_url(), study.name)]
    return waiting_page(request, answered.computation, f"Report: {study.name}", crumbs)


def _scores(request: HttpRequest, study: Study, found: Findings) -> dict[str, Any]:
    dashes = wants_dashes(request)
    tables = study_tables(study, found, dashes=dashes)
    shown = (
        tables if found.ratings else {slug: tables[slug] for slug in WITHOUT_RATINGS if found.items and slug in tables}
    )
    return {
        "study": study,
        "found": found,
        "raters": len(found.raters),
        "lead": _lead(study, found, dashes),
        "departures": departures(study),
        "tables": [linked(study, table, dashes) for table in shown.values()],
        "figures": [linked_figure(study, slug) for slug in drawable(found)],
        "dashes": dashes,
        "has_dashes": any(version.slug in metric.dash_for for metric in found.metrics for version in found.versions),
        "demo_versions": _demo_versions(found),
        "screened_out": list(screened_out_note(study, found.screened_out)),
        "unblinded": unblinding.unblinded_by(study),
    }


def _is_planned(study: Study) -> Callable[[Key], bool]:
    plan = plan_of(study)
    return lambda key: plan is not None and plan.is_confirmatory(key[0], key[1:])


def _standing(study: Study, found: Findings) -> list[str]:
    """What a reader must know before any number."""
    if not found.ratings:
        return []
    if study.is_simulated:
        return ["The ratings are simulated: they show how a report reads, and nothing of what people think."]
    demo = listed(_demo_versions(found)) if _demo_versions(found) else ""
    return [f"Rules wrote {demo}, not a language model, so nothing here is about language models."] if demo else []


def _preferences(study: Study, found: Preferences) -> dict[str, Any]:
    tables = preference_tables(study, found) if found.ratings else {}
    return {
        "study": study,
        "found": found,
        "raters": found.raters,
        "tables": [linked(study, table, True) for table in tables.values()],
        "demo_versions": _demo_versions(found),
        "screened_out": list(screened_out_note(study, found.screened_out)),
        "unblinded": unblinding.unblinded_by(study),
    }


@require_GET
@requires("annotation.view_study", "read reports")
def study_table(request: HttpRequest, pk: int, table: str, form: str) -> HttpResponse:
    """One table as a file. CSV has no notes, so each of its rows says who made scores and texts."""
    study = studied(pk)
    if unblinding.must_ask(study):
        return redirect("study_report", pk)
    answered = _at_once(study)
    if answered.found is None:
        return _wait(request, study, answered)
    chosen = table_or_404(study, answered.found, table, wants_dashes(request))
    shown = _marked(study, chosen, answered.found) if form == "csv" else chosen
    return table_file(request, shown, form, file_name(study, table, answered.as_of))


@require_GET
@requires("annotation.view_study", "read reports")
def study_report_zip(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Everything that the report shows, and the ratings for whoever may have them."""
    study = studied(pk)
    if unblinding.must_ask(study):
        return redirect("study_report", pk)
    answered = _at_once(study)
    if answered.found is None:
        return _wait(request, study, answered)
    with_ratings = request.user.has_perm("annotation.view_rating")
    if with_ratings:
        unblinding.unblind(study=study, by=request.user, how="exported ratings")
        AuditEvent.record(request.user, AuditVerb.RATINGS_EXPORTED, study)
    dashes = wants_dashes(request)
    scored: Findings | None = None if study.compares else answered.found
    pairs = [
        (table, _marked(study, table, answered.found)) for table in _tables(study, answered.found, dashes).values()
    ]
    said = _lead(study, scored, dashes) if scored else []
    stem = file_name(study, "report", answered.as_of)
    files = report_files(study, stem, pairs, scored, said, with_ratings=with_ratings)
    return streamed_file(zipped(files), f"{stem}.zip")


def _lead(study: Study, found: Findings, dashes: bool) -> list[str]:
    return lead(found, dashes=dashes, is_confirmatory=_is_planned(study), standing=_standing(study, found))


def _marked(study: Study, table: Table, found: Findings | Preferences) -> Table:
    return marked(
        table,
        simulated=study.is_simulated,
        imported=study.is_imported,
        demo=bool(_demo_versions(found)),
        screened_out=" ".join(screened_out_note(study, found.screened_out)),
    )


@require_GET
@requires("annotation.view_study", "read reports")
def study_figure(request: HttpRequest, pk: int, figure: str, form: str) -> HttpResponse:
    """SVG on a transparent background in the requested theme; downloads (`?download`) in light colours on white."""
    study = studied(pk)
    if unblinding.must_ask(study):
        return redirect("study_report", pk)
    if study.compares:
        raise Http404("This report has no figures.")
    answered = _at_once(study)
    if answered.found is None:
        return _wait(request, study, answered)
    if figure not in drawable(answered.found) or form not in FILE_FORMATS:
        raise Http404("This report has no such figure.")
    theme: ThemeName = "dark" if request.GET.get("theme") == "dark" else "light"
    spec = FIGURES[figure].draw(study, answered.found, THEMES[theme])
    if "download" not in request.GET:
        return inline(rendered(spec, form)[0], form)
    content, _ = rendered(on_paper(spec, THEMES[theme]), form)
    return whole_file(content, f"{file_name(study, figure, answered.as_of)}.{form}")


@require_GET
@requires("annotation.view_rating", "export ratings")
def study_ratings_csv(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Every score. The rows name versions, so the export is blocked like the report while the study is blind."""
    study = studied(pk)
    if unblinding.must_ask(study):
        return redirect("study_report", pk)
    unblinding.unblind(study=study, by=request.user, how="exported ratings")
    AuditEvent.record(request.user, AuditVerb.RATINGS_EXPORTED, study)
    return streamed_file(ratings_csv(study, csv_form(request)), f"{file_name(study, 'ratings')}.csv")


@require_GET
@requires("annotation.view_rating", "export chats")
def study_chats_jsonl(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Every chat with its events. Lines name systems, so the export waits like that of the ratings."""
    study = studied(pk)
    if not study.has_chats:
        raise Http404("Nobody chats in this study.")
    if unblinding.must_ask(study):
        return redirect("study_report", pk)
    unblinding.unblind(study=study, by=request.user, how="exported chats")
    AuditEvent.record(request.user, AuditVerb.CHATS_EXPORTED, study)
    return streamed_file(chats_jsonl(study), f"{file_name(study, 'chats')}.jsonl")


@require_GET
@requires("annotation.view_rating", "export ratings")
def study_preferences_csv(request: HttpRequest, pk: int) -> HttpResponse:
    """What each tester preferred at the end. Rows name systems, so the export waits like that of the ratings."""
    study = studied(pk)
    if not study.has_chats:
        raise Http404("Nobody chats in this study.")
    if unblinding.must_ask(study):
        return redirect("study_report", pk)
    unblinding.unblind(study=study, by=request.user, how="exported preferences")
    AuditEvent.record(request.user, AuditVerb.RATINGS_EXPORTED, study, part="preferences")
    return table_file(request, answers_table(study), "csv", file_name(study, "preferences"))


def studied(pk: int) -> Study:
    """The study; everybody who may read reports may read all of them."""
    return get_object_or_404(Study.objects.select_related("rubric", "corpus"), pk=pk)


def wants_dashes(request: HttpRequest) -> bool:
    return request.GET.get("dashes") != "0"


def _tables(study: Study, found: Findings | Preferences, dashes: bool) -> dict[str, Table]:
    if isinstance(found, Preferences):
        return preference_tables(study, found)
    return study_tables(study, found, dashes=dashes)


def table_or_404(study: Study, found: Findings | Preferences, slug: str, dashes: bool) -> Table:
    table = _tables(study, found, dashes).get(slug)
    if table is None:
        raise Http404("This report has no such table.")
    return table


def _demo_versions(found: Findings | Preferences) -> list[str]:
    """The symbols of versions with demo texts."""
    if isinstance(found, Preferences):
        return list(found.demo)
    return [version.symbol for version in found.versions if version.is_demo]


def linked(study: Study, table: Table, dashes: bool) -> dict[str, Any]:
    """The table with the addresses of its files."""
    query = "" if dashes else "?dashes=0"
    return {
        "table": table,
        "files": {form: reverse(f"study_table_{form}", args=[study.pk, table.slug]) + query for form in TABLE_FORMS},
    }


def linked_figure(study: Study, slug: str) -> dict[str, Any]:
    """The figure with the addresses of its pictures and files."""
    urls = {form: reverse("study_figure", args=[study.pk, slug, form]) for form in FILE_FORMATS}
    return {
        "figure": FIGURES[slug],
        "light_url": urls["svg"],
        "dark_url": f"{urls['svg']}?theme=dark",
        "files": [(form.upper(), f"{url}?download") for form, url in urls.items()],
    }


def file_name(study: Study, part: str, as_of: datetime | None = None) -> str:
    """A file name without extension: the study, whether its ratings are imported or simulated, the part, and of which
    time its figures are if they are not of now."""
    time = f"-as-of-{as_of:%Y-%m-%d-%H%M}" if as_of else ""
    return f"{slugify(study.name) or f'study-{study.pk}'}{study.file_mark}-{part}{time}"
