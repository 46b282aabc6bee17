"""Changing one's own password, and what a new password ends, whoever sets it."""

from typing import Any

from django.contrib.auth import authenticate
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import MinimumLengthValidator
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from annotation.people import api_tokens


class NewPassword(MinimumLengthValidator):
    """Checks the minimum length, and revokes the account's API tokens after every change.

    Django notifies validators of every new password, set on a page, by a link, in the admin site or by a command.
    Sessions end by themselves, because they are signed with the password's hash.
    """

    def password_changed(self, password: str, user: User) -> None:
        api_tokens.revoke_all(user=user, by=None)


class _Form(PasswordChangeForm):
    """Django's form, but the old password is checked like one at log-in, so tries are counted."""

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_old_password(self) -> str:
        old: str = self.cleaned_data["old_password"]
        if authenticate(self.request, username=self.user.get_username(), password=old) is None:
            raise ValidationError(self.error_messages["password_incorrect"], code="password_incorrect")
        return old


class PasswordChange(PasswordChangeView):
    form_class = _Form

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "request": self.request}
