"""How this project reads the paper, told to the people who use its figures."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from dialogues.models import Version
from dialogues.permissions import requires
from dialogues.published import published_table, value
from dialogues.rubric import PAPER_SIX
from dialogues.statistics.turns import acmc_from_shares


@dataclass(frozen=True, slots=True)
class AcmcRow:
    """A printed row of Table 5 (percent), the ACMC that follows from it, and the one that Table 4 prints."""

    version: str
    shares: tuple[float, ...]
    follows: float | None
    printed: float | None


def acmc_rows() -> list[AcmcRow]:
    rows = []
    for row in published_table(5).rows:
        shares = tuple(share or 0.0 for share in row.values)
        follows = acmc_from_shares(dict(enumerate(shares, 1)))
        rows.append(AcmcRow(row.label, shares, follows, value(4, "acmc", row.key)))
    return rows


# Raters must not read it: it says which kinds of dialogue a blind study mixes.
@require_GET
@requires("annotation.view_study", "read the method page, which would tell a rater what a study compares")
def method(request: HttpRequest) -> HttpResponse:
    context = {"versions": Version.objects.all(), "metrics": PAPER_SIX, "acmc_rows": acmc_rows()}
    return render(request, "method.html", context)
