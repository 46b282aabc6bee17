"""A study's balance report as a page and as a file, computed on request."""

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from annotation.design.texts import order_plan
from annotation.monitoring import balance
from annotation.monitoring.balance import BalanceReport, CountTable
from annotation.monitoring.states import launched_or_404
from core.downloads import attached
from core.permissions import requires
from core.tables import Column, Table


@require_GET
@requires("annotation.view_study", "see studies")
def study_balance(request: HttpRequest, pk: int) -> HttpResponse:
    """The order plan and how it came out."""
    study = launched_or_404(pk)
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
    """The report as a JSON file."""
    study = launched_or_404(pk)
    response = JsonResponse(balance.report(study).to_json(), json_dumps_params={"indent": 2, "ensure_ascii": False})
    return attached(response, f"study-{study.pk}-balance.json")


def balance_tables(report: BalanceReport, symbols: Mapping[str, str]) -> list[Table]:
    """Versions by place in a block, and by the version before them; `symbols` maps slugs to symbols."""
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
