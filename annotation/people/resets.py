"""Links for choosing a new password after forgetting it: an admin makes one and passes it on.

Django signs the token; nothing is stored. It ends with the next log-in or password change, or after
`PASSWORD_RESET_TIMEOUT` seconds.
"""

from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.models import User
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.contrib.auth.views import INTERNAL_RESET_SESSION_TOKEN, PasswordResetConfirmView
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from annotation.people.members import SUPERUSER, MemberError, in_turn, outranks
from core.permissions import person_of, requires
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent


class Tokens(PasswordResetTokenGenerator):
    """Django's tokens, which here also end when the account is deactivated or becomes a superuser's."""

    def _make_hash_value(self, user: User, timestamp: int) -> str:
        # A link made by an admin must not work once only a superuser may change the account.
        rank = f"{user.is_active}{user.is_superuser}"
        return f"{super()._make_hash_value(user, timestamp)}{rank}"


TOKENS = Tokens()


def why_not_reset(*, person: User, by: User) -> str:
    if not person.is_active:
        return "This account is deactivated. Reactivate it first."
    if not person.has_usable_password():
        return "Nobody logs in to this account, so it has no password."
    return SUPERUSER if outranks(person, by) else ""


@transaction.atomic
def issue(*, person: User, by: User) -> str:
    """Make a link; returns its path, which is not stored. Raises MemberError with the reason if that is not allowed."""
    person = in_turn(person)
    if reason := why_not_reset(person=person, by=by):
        raise MemberError(reason)
    AuditEvent.record(by, AuditVerb.RESET_LINK_CREATED, person)
    return reverse("password_reset", args=[urlsafe_base64_encode(force_bytes(person.pk)), TOKENS.make_token(person)])


@transaction.atomic
def spend(*, person: User, token: str) -> bool:
    """Save the password set on `person`; False if the link has ended meanwhile."""
    if not TOKENS.check_token(in_turn(person), token):
        return False
    person.save(update_fields=["password"])
    AuditEvent.record(person, AuditVerb.PASSWORD_RESET, person)
    return True


@never_cache
@require_POST
@requires("annotation.change_profile", "change people's accounts")
def person_reset(request: HttpRequest, pk: int) -> HttpResponse:
    """The only page that shows the link: it is rendered in response to the POST, because the link is not stored."""
    person = get_object_or_404(User, pk=pk)
    try:
        path = issue(person=person, by=person_of(request))
    except MemberError as refusal:
        messages.error(request, str(refusal))
        return redirect("person", pk)
    hours = settings.PASSWORD_RESET_TIMEOUT // 3600
    context = {"person": person, "link": request.build_absolute_uri(path), "hours": hours}
    return render(request, "people/reset_link.html", context)


class _Confirm(PasswordResetConfirmView):
    """Django's view moves the token from the address into the session; this one uses it up at most once."""

    token_generator = TOKENS
    template_name = "registration/password_reset.html"

    def form_valid(self, form: "SetPasswordForm[User]") -> HttpResponse:
        token = self.request.session.pop(INTERNAL_RESET_SESSION_TOKEN)
        if not spend(person=form.save(commit=False), token=token):
            self.validlink = False
            return self.render_to_response(self.get_context_data())
        messages.success(self.request, _("The new password is set. Log in with it."))
        return redirect("login")

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        if not self.validlink:
            return render(self.request, "registration/password_reset_ended.html", status=404)
        status = 422 if context["form"].errors else 200
        return super().render_to_response(context, status=status, **kwargs)


_confirm = _Confirm.as_view()


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def password_reset(request: HttpRequest, uidb64: str, token: str) -> HttpResponse:
    """Opening a link changes nothing, since mail scanners open links too; its form sets the password."""
    return cast(HttpResponse, _confirm(request, uidb64=uidb64, token=token))
