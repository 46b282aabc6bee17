"""A study's report, like a page of a paper, and its files."""

from datetime import datetime
from typing import Any, NamedTuple, Self

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.text import slugify
from django.views.decorators.http import require_GET

from annotation.models import Study
from annotation.reports import unblinding
from annotation.reports.chat_exports import chats_jsonl
from annotation.reports.exports import ratings_csv
from annotation.reports.figures import Figure, beside_tables, drawable
from annotation.reports.findings import Findings
from annotation.reports.flow_figure import linked_flow
from annotation.reports.found import Found, demo_versions
from annotation.reports.notes import has_published, said_once, screened_out_note, without
from annotation.reports.pair_findings import Preferences
from annotation.reports.plan_departures import departures
from annotation.reports.preference_tables import preference_tables
from annotation.reports.system_answers import answers_table
from annotation.reports.tables import study_tables
from annotation.reports.whole import found_at_once, lead_of, marked_table, tables_of
from core.computation_views import outdated, waiting_page
from core.computations import Answer
from core.downloads import TABLE_FORMS, csv_form, inline, streamed_file, table_file, whole_file
from core.permissions import requires
from core.tables import Table
from dialogues.audit import AuditVerb
from dialogues.charts import FILE_FORMATS, THEMES, ThemeName, on_paper, rendered

# The tables that can be shown before there are scores.
WITHOUT_RATINGS = ("table-4", "table-5", "distinct", "chats")


class Shown(NamedTuple):
    """What the address asks tables to show: dashes where the rubric has them, and the paper's values beside."""

    dashes: bool = True
    paper: bool = True

    @classmethod
    def of(cls, request: HttpRequest) -> Self:
        return cls(*(request.GET.get(name) != "0" for name in cls._fields))

    @property
    def query(self) -> str:
        """As a query string; empty if it is the usual."""
        hidden = {name: 0 for name, shown in self._asdict().items() if not shown}
        return f"?{urlencode(hidden)}" if hidden else ""


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
    answered = found_at_once(study)
    if answered.found is None:
        return wait(request, study, answered)
    found = answered.found
    context = _preferences(study, found) if isinstance(found, Preferences) else _scores(request, study, found)
    return render(request, "reports/study_report.html", context | outdated(request, answered))


def wait(request: HttpRequest, study: Study, answered: Answer[Any], what: str = "Report") -> HttpResponse:
    """What a page or file shows until there are findings; `what` begins its title."""
    assert answered.computation is not None
    crumbs = [(reverse("studies"), "Studies"), (study.get_absolute_url(), study.name)]
    return waiting_page(request, answered.computation, f"{what}: {study.name}", crumbs)


def _scores(request: HttpRequest, study: Study, found: Findings) -> dict[str, Any]:
    asked = Shown.of(request)
    tables = study_tables(study, found, **asked._asdict())
    shown = (
        tables if found.ratings else {slug: tables[slug] for slug in WITHOUT_RATINGS if found.items and slug in tables}
    )
    about, calm = said_once(study, found, list(shown.values()))
    departed = departures(study)
    return {
        "study": study,
        "found": found,
        "raters": len(found.raters),
        "lead": lead_of(study, found, dashes=asked.dashes),
        "departures": departed,
        # Without ratings a page has no departures.
        "tables": linked_tables(study, found, without(departed, calm) if found.ratings else calm, asked),
        "about": about,
        "shown": asked,
        "has_dashes": any(version.slug in metric.dash_for for metric in found.metrics for version in found.versions),
        "other_dashes": asked._replace(dashes=not asked.dashes).query or "?",
        "has_paper": not asked.paper or any(map(has_published, shown.values())),
        "other_paper": asked._replace(paper=not asked.paper).query or "?",
        "demo_versions": demo_versions(found),
        "unblinded": unblinding.unblinded_by(study),
        "flow": linked_flow(study) if found.items else {},
    }


def _preferences(study: Study, found: Preferences) -> dict[str, Any]:
    tables = preference_tables(study, found) if found.ratings else {}
    departed = departures(study)
    return {
        "study": study,
        "found": found,
        "raters": found.raters,
        "lead": lead_of(study, found, dashes=True),
        "departures": departed,
        "tables": linked_tables(study, found, without(departed, tables.values()), Shown()),
        "shown": Shown(),
        "demo_versions": demo_versions(found),
        "about": list(screened_out_note(study, found.screened_out)),
        "unblinded": unblinding.unblinded_by(study),
        "flow": linked_flow(study) if found.items else {},
    }


@require_GET
@requires("annotation.view_study", "read reports")
def study_table(request: HttpRequest, pk: int, table: str, form: str) -> HttpResponse:
    """One table as a file. CSV has no notes, so each of its rows says who made scores and texts."""
    study = studied(pk)
    if unblinding.must_ask(study):
        return redirect("study_report", pk)
    answered = found_at_once(study)
    if answered.found is None:
        return wait(request, study, answered)
    chosen = tables_of(study, answered.found, **Shown.of(request)._asdict()).get(table)
    if chosen is None:
        raise Http404("This report has no such table.")
    shown = marked_table(study, chosen, answered.found) if form == "csv" else chosen
    return table_file(request, shown, form, file_name(study, table, answered.as_of))


@require_GET
@requires("annotation.view_study", "read reports")
def study_figure(request: HttpRequest, pk: int, figure: str, form: str) -> HttpResponse:
    """SVG on a transparent background in the requested theme; downloads (`?download`) in light colours on white."""
    study = studied(pk)
    if unblinding.must_ask(study):
        return redirect("study_report", pk)
    answered = found_at_once(study)
    if answered.found is None:
        return wait(request, study, answered)
    chosen = drawable(answered.found).get(figure)
    if chosen is None or form not in FILE_FORMATS:
        raise Http404("This report has no such figure.")
    theme: ThemeName = "dark" if request.GET.get("theme") == "dark" else "light"
    spec = chosen.draw(study, answered.found, THEMES[theme])
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
    unblinding.export(study=study, by=request.user, how="exported ratings")
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
    unblinding.export(study=study, by=request.user, how="exported chats", verb=AuditVerb.CHATS_EXPORTED)
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
    unblinding.export(study=study, by=request.user, how="exported preferences", part="preferences")
    return table_file(request, answers_table(study), "csv", file_name(study, "preferences"))


def studied(pk: int) -> Study:
    """The study; everybody who may read reports may read all of them."""
    return get_object_or_404(Study.objects.select_related("rubric", "corpus"), pk=pk)


def linked_tables(study: Study, found: Found, tables: list[Table], asked: Shown) -> list[dict[str, Any]]:
    """The tables of a page with their files, each with the figures that stand below it."""
    figures = beside_tables(drawable(found), [table.slug for table in tables])
    return [
        linked(study, table, asked) | {"figures": [linked_figure(study, figure) for figure in figures[table.slug]]}
        for table in tables
    ]


def linked(study: Study, table: Table, asked: Shown) -> dict[str, Any]:
    """The table with the addresses of its files."""
    urls = {form: reverse(f"study_table_{form}", args=[study.pk, table.slug]) for form in TABLE_FORMS}
    return {"table": table, "files": {form: url + asked.query for form, url in urls.items()}}


def linked_figure(study: Study, figure: Figure[Any]) -> dict[str, Any]:
    """The figure with the addresses of its pictures and files."""
    urls = {form: reverse("study_figure", args=[study.pk, figure.slug, form]) for form in FILE_FORMATS}
    return {
        "figure": figure,
        "light_url": urls["svg"],
        "dark_url": f"{urls['svg']}?theme=dark",
        "files": [(form.upper(), f"{url}?download") for form, url in urls.items()],
    }


def file_name(study: Study, part: str, as_of: datetime | None = None) -> str:
    """A file name without extension: the study, whether its ratings are imported or simulated, the part, and of which
    time its figures are if they are not of now."""
    time = f"-as-of-{as_of:%Y-%m-%d-%H%M}" if as_of else ""
    return f"{slugify(study.name) or f'study-{study.pk}'}{study.file_mark}-{part}{time}"
