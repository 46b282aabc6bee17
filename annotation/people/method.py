"""How this project reads the paper, told to the people who use its figures."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from dialogues.models import Version
from dialogues.permissions import requires
from dialogues.rubric import PAPER_SIX


# Raters must not read it: it says which kinds of dialogue a blind study mixes.
@require_GET
@requires("annotation.view_study", "read the method page, which would tell a rater what a study compares")
def method(request: HttpRequest) -> HttpResponse:
    return render(request, "method.html", {"versions": Version.objects.all(), "metrics": PAPER_SIX})
