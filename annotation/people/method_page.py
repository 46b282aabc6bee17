"""The method page: how this project interprets the paper."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from core.permissions import requires
from dialogues.models import Version
from dialogues.published import published_table, value
from dialogues.rubric import PAPER_SIX
from dialogues.statistics.words_and_turns import acmc_from_shares

# Table 5 has columns for turns of one message to five.
SHORTEST_LEFT_OUT = 6


@dataclass(frozen=True, slots=True)
class AcmcRow:
    """A printed row of Table 5 (percent), the ACMC that follows from it, and the ACMC that Table 4 prints.

    `at_least` is the ACMC if the rest up to 100 % were turns of six messages; None if there is no rest.
    """

    version: str
    shares: tuple[float, ...]
    follows: float | None
    printed: float | None
    at_least: float | None


def acmc_rows() -> list[AcmcRow]:
    rows = []
    for row in published_table(5).rows:
        shares = tuple(share or 0.0 for share in row.values)
        by_length = dict(enumerate(shares, 1))
        missing = round(100 - sum(shares), 2)
        at_least = acmc_from_shares({**by_length, SHORTEST_LEFT_OUT: missing}) if missing > 0 else None
        rows.append(AcmcRow(row.label, shares, acmc_from_shares(by_length), value(4, "acmc", row.key), at_least))
    return rows


# Not for raters: it says which kinds of dialogue a blind study mixes.
@require_GET
@requires("annotation.view_study", "read the method page, which would tell a rater what a study compares")
def method(request: HttpRequest) -> HttpResponse:
    context = {"versions": Version.objects.all(), "metrics": PAPER_SIX, "acmc_rows": acmc_rows()}
    return render(request, "method.html", context)
