"""How this project reads the paper, told to the people who use its figures."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from dialogues.models import Version
from dialogues.permissions import requires
from dialogues.rubric import PAPER_SIX


@dataclass(frozen=True, slots=True)
class AcmcRow:
    """A printed row of the paper's Table 5 and the ACMC that its Table 4 prints for it."""

    version: str
    # Percent of turns with one, two, … five messages.
    shares: tuple[float, ...]
    printed: float

    @property
    def acmc(self) -> float:
        """Messages a turn, each length weighed with its share."""
        return sum(length * share for length, share in enumerate(self.shares, 1)) / 100


ACMC_ROWS = (
    AcmcRow("α", (92.65, 7.35, 0, 0, 0), 1.07),
    AcmcRow("β", (91.26, 8.74, 0, 0, 0), 1.08),
    AcmcRow("γ", (20.50, 60.10, 17.98, 1.21, 0.1), 1.99),
    AcmcRow("Stephanie", (11.17, 39.24, 34.33, 10.86, 2.97), 2.51),
)


# Raters must not read it: it says which kinds of dialogue a blind study mixes.
@require_GET
@requires("annotation.view_study", "read the method page, which would tell a rater what a study compares")
def method(request: HttpRequest) -> HttpResponse:
    context = {"versions": Version.objects.all(), "metrics": PAPER_SIX, "acmc_rows": ACMC_ROWS}
    return render(request, "method.html", context)
