"""A visitor's pages of an open link. They need no account, so they reveal nothing, and a GET changes nothing."""

from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from annotation.models import Membership, Study
from annotation.people import attempts
from annotation.people.acquaintance import AcquaintedError
from annotation.people.memberships import LeftError
from annotation.recruitment import open_links
from annotation.recruitment.open_links import OpenLinkError, ParameterError, Recruit
from annotation.roles import BACKEND

# Records that this browser has joined before, so that nobody joins twice with it; it grants no access.
COOKIE = "stephanie-door"
YEAR = 365 * 24 * 3600


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
    return attempts.too_many(kind, attempts.network_of(request))


def _busy(request: HttpRequest) -> HttpResponse:
    response = render(request, "people/open_link_busy.html", {"minutes": attempts.MINUTES}, status=429)
    response["Retry-After"] = str(attempts.MINUTES * 60)
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
