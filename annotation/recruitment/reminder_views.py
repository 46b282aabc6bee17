"""Raters who have been silent, and a button that writes to them."""

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from annotation.models import Study
from annotation.people.mail import can_send, reminder_text
from annotation.recruitment import reminders
from annotation.recruitment.reminders import DAYS, MOST_DAYS, ReminderError
from core.permissions import person_of, requires

PAGE = 50


class DaysForm(forms.Form):
    days = forms.IntegerField(label="Not seen for … days", min_value=0, max_value=MOST_DAYS, initial=DAYS)


@require_http_methods(["GET", "POST"])
@requires("annotation.add_invitation", "remind raters")
def study_remind(request: HttpRequest, pk: int) -> HttpResponse:
    study = get_object_or_404(Study, pk=pk)
    given = request.POST if request.method == "POST" else request.GET
    form = DaysForm(given if "days" in given or request.method == "POST" else {"days": DAYS})
    if not form.is_valid():
        return render(request, "people/remind.html", {"study": study, "form": form, "idle": []}, status=422)
    days: int = form.cleaned_data["days"]
    if request.method == "POST":
        return _remind(request, study, days)
    idle = reminders.idle_raters(study, days, timezone.now()) if study.is_open else []
    context = {
        "study": study,
        "form": form,
        "days": days,
        "idle": idle,
        "page": Paginator(idle, PAGE).get_page(request.GET.get("page")),
        "due": [one for one in idle if one.address and not one.reminded],
        "addresses": ", ".join(one.address for one in idle if one.address),
        "text": reminder_text(study.public_name, request.build_absolute_uri("/rate/")),
        "can_send": can_send(),
    }
    return render(request, "people/remind.html", context)


def _remind(request: HttpRequest, study: Study, days: int) -> HttpResponse:
    if not can_send():
        messages.error(request, "This server sends no mail (EMAIL_URL is not set). Copy the text and send it yourself.")
        return redirect("study_remind", study.pk)
    base = request.build_absolute_uri("/").rstrip("/")
    try:
        sent = reminders.remind(study=study, days=days, base=base, by=person_of(request), now=timezone.now())
    except ReminderError as error:
        messages.error(request, str(error))
        return redirect("study_remind", study.pk)
    _say(request, [was_sent for _, was_sent in sent])
    return redirect("study_remind", study.pk)


def _say(request: HttpRequest, sent: list[bool]) -> None:
    if not sent:
        messages.info(request, "No reminder was sent: everybody who is due was reminded lately or has no address.")
    elif all(sent):
        messages.success(request, f"Sent to {len(sent):,} rater{'s' if len(sent) > 1 else ''}.")
    else:
        said = f"The mail server accepted {sum(sent):,} of {len(sent):,}. Write to the others yourself."
        messages.warning(request, said)
