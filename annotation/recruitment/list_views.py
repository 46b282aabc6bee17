"""Invite a whole list of people to a study: all of them, or none."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from annotation.models import Invitation, Profile, Study
from annotation.people import invitations
from annotation.people.mail import can_send, send_invitations
from annotation.people.memberships import NO_MORE_RATERS
from annotation.recruitment.lists import MOST_ERRORS, MOST_ROWS, People, Person, read_list
from core.downloads import whole_file
from core.permissions import person_of, requires
from core.spreadsheets import EXCEL, PLAIN, CsvForm, csv_text

MOST_BYTES = 200_000
COLUMNS = ("email", "pseudonym", "link", "sent")


class ListForm(forms.Form):
    """E-mail addresses, pasted or in a file."""

    text = forms.CharField(
        label="People",
        required=False,
        max_length=MOST_BYTES,
        widget=forms.Textarea(attrs={"rows": 10, "spellcheck": "false", "class": "mono"}),
        help_text=f"One e-mail address per line, or two columns: email, pseudonym. At most {MOST_ROWS} people.",
    )
    file = forms.FileField(label="Or a file", required=False, help_text="CSV or plain text, in UTF-8.")

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file is None:
            return None
        if file.size > MOST_BYTES:
            raise forms.ValidationError(f"The file is larger than {MOST_BYTES // 1000} kB. Send it in parts.")
        try:
            self.from_file = file.read().decode("utf-8")
        except UnicodeDecodeError as error:
            raise forms.ValidationError(
                "The file is not text in UTF-8. Save it as CSV (UTF-8) and try again."
            ) from error
        return file

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("text") and data.get("file"):
            raise forms.ValidationError("Paste the list or choose a file, not both.")
        if not self.errors:
            self.found = read_list(getattr(self, "from_file", "") or data.get("text", ""))
            for problem in self.found.errors[:MOST_ERRORS] or _taken(self.found):
                self.add_error(None, problem)
            if (more := len(self.found.errors) - MOST_ERRORS) > 0:
                self.add_error(None, f"… and {more:,} more.")
        return data


@dataclass(frozen=True, slots=True)
class Invited:
    """A listed person with their link; `sent` is None when this server sends no mail."""

    person: Person
    link: str
    sent: bool | None


@never_cache
@require_http_methods(["GET", "POST"])
@requires("annotation.add_invitation", "invite people")
def study_invite_list(request: HttpRequest, pk: int) -> HttpResponse:
    study = get_object_or_404(Study, pk=pk)
    if not study.takes_raters:
        messages.error(request, NO_MORE_RATERS)
        return redirect(study)
    form = ListForm(request.POST, request.FILES) if request.method == "POST" else ListForm()
    if request.method == "POST" and form.is_valid():
        return _invite(request, study, form.found)
    context = {"form": form, "study": study, "days": invitations.DAYS, "can_send": can_send()}
    return render(request, "people/invite_list.html", context, status=422 if form.errors else 200)


def _invite(request: HttpRequest, study: Study, found: People) -> HttpResponse:
    """The only response that ever contains the links, as a page or as a file."""
    known = _known(study)
    new = [person for person in found.people if person.email.casefold() not in known]
    wanted = [(person.email, person.pseudonym) for person in new]
    tokens = invitations.issue_list(wanted=wanted, study=study, by=person_of(request))
    links = [request.build_absolute_uri(reverse("invitation", args=[token])) for token in tokens]
    letters = [(person.email, link) for person, link in zip(new, links, strict=True)]
    sent = send_invitations(letters, invitations.DAYS) if can_send() else [None] * len(new)
    invited = [Invited(*row) for row in zip(new, links, sent, strict=True)]
    text = _csv(invited, EXCEL.get(request.POST.get("answer", "").removeprefix("csv-"), PLAIN))
    if request.POST.get("answer", "").startswith("csv") and invited:
        stem = slugify(study.name) or f"study-{study.pk}"
        return whole_file(text, f"{stem}-invitations.csv")
    context = {
        "study": study,
        "invited": invited,
        "csv": text,
        "repeated": found.repeated,
        "known": [person for person in found.people if person.email.casefold() in known],
        "days": invitations.DAYS,
        "can_send": can_send(),
        "unsent": [row for row in invited if row.sent is False],
    }
    return render(request, "people/invited_list.html", context)


def _csv(invited: list[Invited], form: CsvForm) -> str:
    rows = [(row.person.email, row.person.pseudonym, row.link, "yes" if row.sent else "no") for row in invited]
    return csv_text([COLUMNS, *rows], form)


def _known(study: Study) -> set[str]:
    """Addresses with a usable invitation to this study, or of its members; lower case."""
    waiting = Invitation.objects.waiting(timezone.now()).filter(study=study).values_list("email", flat=True)
    members = study.memberships.values_list("rater__email", flat=True)
    return {address.casefold() for address in (*waiting, *members) if address}


def _taken(found: People) -> list[str]:
    """An error for each row whose pseudonym somebody has, or has been invited under."""
    wanted = {person.pseudonym: person.row for person in found.people if person.pseudonym}
    if not wanted:
        return []
    emails = {person.pseudonym: person.email.casefold() for person in found.people}
    used = set(Profile.objects.filter(pseudonym__in=wanted).values_list("pseudonym", flat=True))
    waiting = Invitation.objects.waiting(timezone.now()).filter(pseudonym__in=wanted)
    # A list that is sent twice finds its own invitations.
    used |= {name for name, email in waiting.values_list("pseudonym", "email") if emails[name] != email.casefold()}
    return [
        f"Row {wanted[name]}: the pseudonym “{name}” is taken." for name in sorted(used, key=lambda name: wanted[name])
    ][:MOST_ERRORS]
