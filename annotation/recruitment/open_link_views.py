"""Pages of an open link: a researcher opens and closes it, and visitors join by it.

Visitors need no account, so their pages reveal nothing, and a GET changes nothing.
"""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.validators import RegexValidator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from annotation.models import Membership, Study
from annotation.people.acquaintance import AcquaintedError
from annotation.people.memberships import NO_MORE_RATERS, LeftError
from annotation.people.password_tries import network_of
from annotation.recruitment import open_links
from annotation.recruitment.open_links import OpenLinkError, ParameterError, Recruit
from annotation.roles import BACKEND
from core.permissions import person_of, requires

# Records that this browser has joined before, so that nobody joins twice with it; it grants no access.
COOKIE = "stephanie-door"
YEAR = 365 * 24 * 3600
# Tries of newcomers from one network within so many minutes; a classroom of raters shares one address.
MOST_TRIES, MINUTES = 60, 5


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    """Show the page that asks; its form joins. Mail scanners and link previews open addresses too."""
    try:
        study = open_links.find(token)
        recruit = Recruit.read(study, _given(request))
        known = open_links.known_member(study, recruit, _user(request))
        if request.method == "POST":
            # Members return as often as they like, however many newcomers share their network.
            if known is None and _too_many("study", request):
                return _busy(request)
            return _enter(request, study, recruit, known)
        return _ask(request, study, recruit, known)
    except ParameterError as problem:
        return render(request, "people/open_link_closed.html", {"problem": str(problem)}, status=422)
    except (LeftError, AcquaintedError) as error:
        why = {"has_left": isinstance(error, LeftError), "knows": isinstance(error, AcquaintedError)}
        return render(request, "people/open_link_closed.html", why, status=403)
    except OpenLinkError:
        return render(request, "people/open_link_closed.html", status=404)


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def return_link(request: HttpRequest, token: str) -> HttpResponse:
    """A return link: its form logs in to the account it was made for."""
    try:
        membership = open_links.find_return(token)
    except OpenLinkError:
        if request.method == "POST" and _too_many("return", request):
            return _busy(request)
        return render(request, "people/open_link_closed.html", status=404)
    if request.method == "POST":
        return _let_in(request, membership)
    return render(request, "people/return_link.html", {"public_name": membership.study.public_name})


def _too_many(kind: str, request: HttpRequest) -> bool:
    """Count a try; True after more than `MOST_TRIES` of this kind from this network.

    The cache counts for all processes together when REDIS_URL is set, otherwise for each process separately.
    """
    key = f"tries:{kind}:{network_of(request)}"
    if cache.add(key, 1, MINUTES * 60):
        return False
    try:
        return int(cache.incr(key)) > MOST_TRIES
    except ValueError:  # The key expired between the two calls.
        return False


def _busy(request: HttpRequest) -> HttpResponse:
    response = render(request, "people/open_link_busy.html", {"minutes": MINUTES}, status=429)
    response["Retry-After"] = str(MINUTES * 60)
    return response


def _ask(request: HttpRequest, study: Study, recruit: Recruit, known: Membership | None) -> HttpResponse:
    """The page for this visitor: start, continue, or how to get back in."""
    user = _user(request)
    if known is not None and user is not None and known.rater_id == user.pk:
        return render(request, "people/open_link_joined.html", _inside(request, known))
    has_been_here = known is None and not recruit.participant and user is None and _mark(study) in _marks(request)
    if known is None and not has_been_here:
        open_links.must_let_in(study)
    context = {
        "study": study,
        "recruit": recruit.to_fields() if recruit.participant else {},
        "has_been_here": has_been_here,
        "longest": open_links.LONGEST_NAME,
    }
    return render(request, "people/open_link.html", context)


def _enter(request: HttpRequest, study: Study, recruit: Recruit, known: Membership | None) -> HttpResponse:
    user = _user(request)
    if known is None and user is None and not recruit.participant and _mark(study) in _marks(request):
        return _ask(request, study, recruit, known)
    # The participant id identifies the person, so Prolific's participants never join with another account.
    own_account = None if recruit.participant else user
    membership = known or open_links.enter(
        study=study, recruit=recruit, name=request.POST.get("name", ""), user=own_account
    )
    return _let_in(request, membership)


def _let_in(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Log in to the account here; a guest sees their return link first, a participant starts at once."""
    rater, user = membership.rater, _user(request)
    if user is None or user.pk != rater.pk:
        if not open_links.has_return_link(membership):
            raise OpenLinkError
        login(request, rater, backend=BACKEND)
    study = membership.study
    is_new = not membership.assignments.exclude(opened_at=None).exists()
    if is_new and study.door_token and not membership.prolific_pid and open_links.has_return_link(membership):
        response = redirect("door", study.door_token)
    else:
        response = redirect("rate_next", membership.token)
    marks = [*dict.fromkeys([*_marks(request), _mark(study)])][-50:]
    response.set_cookie(
        COOKIE, ".".join(marks), max_age=YEAR, secure=request.is_secure(), httponly=True, samesite="Lax", path="/door/"
    )
    return response


def _inside(request: HttpRequest, membership: Membership) -> dict[str, object]:
    link = reverse("door_return", args=[open_links.return_token(membership)])
    return {
        "public_name": membership.study.public_name,
        "token": membership.token,
        "return_link": request.build_absolute_uri(link) if open_links.has_return_link(membership) else "",
    }


def _given(request: HttpRequest) -> dict[str, str]:
    values = request.POST if request.method == "POST" else request.GET
    return {name: values.get(name, "") for name in open_links.PARAMETERS}


def _user(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


def _mark(study: Study) -> str:
    """What the cookie keeps of the study: its open link's token, which the browser has anyway."""
    return study.door_token or ""


def _marks(request: HttpRequest) -> list[str]:
    return [mark for mark in request.COOKIES.get(COOKIE, "").split(".")[:50] if open_links.TOKEN.fullmatch(mark)]


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
