"""A study's balance report, as a page and as a file; both are computed when asked for."""

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from annotation.design.texts import order_plan
from annotation.models import Study
from annotation.monitoring import balance
from annotation.monitoring.balance import BalanceReport, CountTable
from core.downloads import attached
from core.permissions import requires
from core.tables import Column, Table


@require_GET
@requires("annotation.view_study", "see studies")
def study_balance(request: HttpRequest, pk: int) -> HttpResponse:
    """Order plan and seed as they came out."""
    study = _launched(pk)
    found = balance.report(study)
    context = {
        "study": study,
        "report": found,
        "plan": order_plan(study.raters_per_item, compares=study.compares),
        "tables": balance_tables(found, {version.pk: version.symbol for version in study.versions.all()}),
        "unfinished": f"{found.unfinished_blocks:,} not shown to their end" if found.unfinished_blocks else "",
    }
    return render(request, "studies/balance.html", context)


@require_GET
@requires("annotation.view_study", "see studies")
def study_balance_json(request: HttpRequest, pk: int) -> JsonResponse:
    """The same to keep beside a paper."""
    study = _launched(pk)
    response = JsonResponse(balance.report(study).to_json(), json_dumps_params={"indent": 2, "ensure_ascii": False})
    return attached(response, f"study-{study.pk}-balance.json")


def _launched(pk: int) -> Study:
    return get_object_or_404(Study.objects.exclude(state=Study.State.DRAFT), pk=pk)


def balance_tables(report: BalanceReport, symbols: Mapping[str, str]) -> list[Table]:
    """Version by place in a block, and version before by version after; `symbols` are the versions' by their slugs."""
    names = [symbols.get(slug, slug) for slug in report.versions]
    places = [f"Place {place}" for place in report.position.columns]
    return [
        _count_table(
            "balance-position", "Where each version stood in a block", "Version", "", places, names, report.position
        ),
        _count_table(
            "balance-carry-over",
            "What followed what within a block",
            "Before",
            "After",
            names,
            names,
            report.carry_over,
        ),
    ]


def _count_table(
    slug: str, caption: str, first: str, group: str, heads: list[str], names: list[str], counted: CountTable
) -> Table:
    columns = (Column(first, numeric=False), *(Column(head, group=group) for head in heads))
    rows = [(name, *counts) for name, counts in zip(names, counted.counts, strict=True)]
    note = f"Ideal: the same for every version. Largest deviation from it: {counted.largest_deviation:g}."
    return Table(slug, caption, columns, (*rows, ("Ideal", *counted.ideal)), notes=(note,))
