"""Make a password reset link for somebody, and the page that it opens."""

from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.models import User
from django.contrib.auth.views import INTERNAL_RESET_SESSION_TOKEN, PasswordResetConfirmView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from annotation.people import resets
from annotation.people.members import MemberError
from core.acting import person_of
from core.permissions import requires


@never_cache
@require_POST
@requires("annotation.change_profile", "change people's accounts")
def person_reset(request: HttpRequest, pk: int) -> HttpResponse:
    """The only page that shows the link: it is rendered in response to the POST, because the link is not stored."""
    person = get_object_or_404(User, pk=pk)
    try:
        path = resets.issue(person=person, by=person_of(request))
    except MemberError as refusal:
        messages.error(request, str(refusal))
        return redirect("person", pk)
    hours = settings.PASSWORD_RESET_TIMEOUT // 3600
    context = {"person": person, "link": request.build_absolute_uri(path), "hours": hours}
    return render(request, "people/reset_link.html", context)


class _Confirm(PasswordResetConfirmView):
    """Django's view moves the token from the address into the session; this one uses it up at most once."""

    token_generator = resets.TOKENS
    template_name = "registration/password_reset.html"

    def form_valid(self, form: "SetPasswordForm[User]") -> HttpResponse:
        token = self.request.session.pop(INTERNAL_RESET_SESSION_TOKEN)
        if not resets.spend(person=form.save(commit=False), token=token):
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
