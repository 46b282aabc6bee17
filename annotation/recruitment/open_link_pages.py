"""A researcher opens a study's link, passes its address on, and closes it."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.validators import RegexValidator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from annotation.models import Study
from annotation.people.memberships import NO_MORE_RATERS
from annotation.recruitment import open_links
from annotation.recruitment.open_links import OpenLinkError
from core.acting import person_of
from core.permissions import requires

HIGHEST_LIMIT = 100_000
_code = RegexValidator(r"^[A-Za-z0-9_-]+$", "A code has letters, digits, - and _ only.")
_may_open = requires("annotation.add_invitation", "manage open links")


class OpenLinkForm(forms.Form):
    """How many may join, and the codes that a study on Prolific gives out."""

    limit = forms.IntegerField(
        label="Places",
        required=False,
        min_value=1,
        max_value=HIGHEST_LIMIT,
        help_text="The most raters it admits; empty: no limit. Raters who withdraw or are screened out, "
        "excluded or deactivated make room for others.",
    )
    completion_code = forms.CharField(
        label="Prolific’s completion code",
        required=False,
        max_length=40,
        validators=[_code],
        help_text="With a code the link admits only Prolific’s participants, and shows them the code at the end.",
    )
    screen_out_code = forms.CharField(
        label="Prolific’s screen-out code",
        required=False,
        max_length=40,
        validators=[_code],
        help_text="Shown instead to raters who fail the attention checks.",
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("screen_out_code") and not data.get("completion_code") and "completion_code" not in self.errors:
            self.add_error("completion_code", "A study on Prolific needs this code too.")
        return data


@require_http_methods(["GET", "POST"])
@_may_open
def study_open_link(request: HttpRequest, pk: int) -> HttpResponse:
    study = get_object_or_404(Study, pk=pk)
    if not study.takes_raters:
        messages.error(request, NO_MORE_RATERS)
        return redirect(study)
    initial = {
        "limit": study.door_limit,
        "completion_code": study.completion_code,
        "screen_out_code": study.screen_out_code,
    }
    # Every field may be empty, so an empty POST is a valid form.
    form = OpenLinkForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        return _opened(request, study, form)
    context = {
        "study": study,
        "form": form,
        "address": _address(request, study),
        "taken": open_links.taken(study),
        "is_full": open_links.is_full(study),
        "at_prolific": open_links.recruits_at_prolific(study),
    }
    return render(request, "people/study_open_link.html", context, status=422 if form.errors else 200)


def _opened(request: HttpRequest, study: Study, form: OpenLinkForm) -> HttpResponse:
    data = form.cleaned_data
    try:
        open_links.set_open_link(
            study=study,
            limit=data["limit"],
            completion_code=data["completion_code"],
            screen_out_code=data["screen_out_code"],
            by=person_of(request),
        )
    except OpenLinkError:
        messages.error(request, NO_MORE_RATERS)
        return redirect(study)
    messages.success(request, "Saved." if study.door_token else "The link is open.")
    return redirect("study_door", study.pk)


@require_POST
@_may_open
def study_open_link_close(request: HttpRequest, pk: int) -> HttpResponse:
    study = get_object_or_404(Study, pk=pk)
    open_links.close_open_link(study=study, by=person_of(request))
    messages.success(request, "The link is closed. Raters who joined stay; its address no longer works.")
    return redirect("study_door", study.pk) if study.takes_raters else redirect(study)


def _address(request: HttpRequest, study: Study) -> str:
    """The address to pass on; for Prolific with the three placeholders that it fills in for each participant."""
    if not study.door_token:
        return ""
    address = request.build_absolute_uri(reverse("door", args=[study.door_token]))
    if not open_links.recruits_at_prolific(study):
        return address
    return f"{address}?{urlencode({name: f'{{{{%{name}%}}}}' for name in open_links.PARAMETERS}, safe='{}%')}"
