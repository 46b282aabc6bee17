"""Make, show, revoke and accept invitation links."""

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from annotation.models import Invitation, Membership, Study
from annotation.people import invitations, memberships
from annotation.people.acquaintance import why_acquainted
from annotation.people.forms import AccountForm, InviteForm
from annotation.people.invitations import InvitationError
from annotation.people.mail import can_send, send_invitation
from annotation.people.memberships import NO_MORE_RATERS
from annotation.roles import BACKEND
from core.permissions import person_of, requires

_may_invite = requires("annotation.add_invitation", "invite people")


@never_cache
@require_http_methods(["GET", "POST"])
@_may_invite
def invite(request: HttpRequest) -> HttpResponse:
    return _invite(request, None)


@never_cache
@require_http_methods(["GET", "POST"])
@_may_invite
def study_invite(request: HttpRequest, pk: int) -> HttpResponse:
    study = get_object_or_404(Study, pk=pk)
    if not study.takes_raters:
        messages.error(request, NO_MORE_RATERS)
        return redirect(study)
    return _invite(request, study)


def _invite(request: HttpRequest, study: Study | None) -> HttpResponse:
    user = person_of(request)
    form = InviteForm(request.POST or None, by=user, study=study)
    if request.method == "POST" and form.is_valid():
        return _show_links(request, form)
    waiting = invitations.open_invitations(user)
    if study is not None:
        waiting = waiting.filter(study=study)
    context = {"form": form, "study": study, "invitations": waiting, "days": invitations.DAYS}
    return render(request, "people/invite.html", context, status=422 if form.errors else 200)


def _show_links(request: HttpRequest, form: InviteForm) -> HttpResponse:
    """The only page that shows the links: it is rendered in response to the POST, because tokens are not stored."""
    data, study = form.cleaned_data, form.chosen_study
    tokens = invitations.issue(role=form.chosen_role, by=form.by, count=data["count"], email=data["email"], study=study)
    links = [request.build_absolute_uri(reverse("invitation", args=[token])) for token in tokens]
    sent = send_invitation(data["email"], links[0], invitations.DAYS) if data["email"] and can_send() else None
    context = {
        "links": links,
        "all_links": "\n".join(links),
        "role": form.chosen_role,
        "email": data["email"],
        "sent": sent,
        "study": study,
        "back": reverse("study_invite", args=[form.fixed_study.pk]) if form.fixed_study else reverse("invite"),
        "days": invitations.DAYS,
    }
    return render(request, "people/links.html", context)


@require_POST
@_may_invite
def invitation_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    user = person_of(request)
    # A researcher sees only their own links; links that have ended are included, so that the page can say so.
    seen = Invitation.objects.all() if user.has_perm("annotation.view_profile") else user.invitations_sent.all()
    invitation = get_object_or_404(seen, pk=pk)
    try:
        invitations.revoke(invitation=invitation, by=user)
    except InvitationError:
        messages.warning(request, "This link had already ended: it was used, revoked or ran out.")
    else:
        messages.success(request, "The link is revoked. Anyone who opens it is told to ask for a new one.")
    if user.has_perm("annotation.view_profile"):
        return redirect("people")
    return redirect("study_invite", invitation.study_id) if invitation.study_id else redirect("invite")


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Opening a link changes nothing, since mail scanners open links too; its form accepts."""
    try:
        found = invitations.find(token)
        if request.user.is_authenticated:
            return _accept_as_member(request, found)
        return _accept_with_new_account(request, found)
    except InvitationError:
        return render(request, "people/invitation_ended.html", status=404)


def _accept_with_new_account(request: HttpRequest, found: Invitation) -> HttpResponse:
    form = AccountForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = invitations.accept_with_new_account(invitation=found, user=form.save(commit=False))
        except IntegrityError:
            form.add_error("username", _("Somebody took this name just now. Choose another."))
        else:
            login(request, user, backend=BACKEND)
            messages.success(request, _("Welcome, %(name)s. Your account is ready.") % {"name": user.get_username()})
            return redirect("home")
    context = {"form": form, "invitation": found}
    return render(request, "people/accept.html", context, status=422 if form.errors else 200)


def _accept_as_member(request: HttpRequest, found: Invitation) -> HttpResponse:
    user = person_of(request)
    if found.study is not None and memberships.has_left(study=found.study, rater=user):
        return render(request, "people/join.html", {"invitation": found, "has_left": True}, status=403)
    is_in = found.study is not None and Membership.objects.filter(study=found.study, rater=user).exists()
    if found.study is not None and not is_in and why_acquainted(found.study, user):
        return render(request, "people/join.html", {"invitation": found, "knows": True}, status=403)
    if request.method == "POST" and found.study is not None and not is_in:
        invitations.accept_as_member(invitation=found, user=user)
        messages.success(request, _("You have joined. The study is among yours now."))
        return redirect("home")
    return render(request, "people/join.html", {"invitation": found, "is_in": is_in})
