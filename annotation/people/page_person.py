"""Whose page a script sends from: another account that logs in in another tab must not answer for who typed there."""

from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

# static/js/posting.js
HEADER = "X-Page-Person"
WAITS = _("Not saved yet: somebody else is logged in. Log in as yourself in another tab; this page then sends it.")


class AnotherAccountError(PermissionDenied):
    """403 with `cause`, so that the page waits until its own person is back."""

    def __init__(self) -> None:
        super().__init__()
        self.detail: Any = {"detail": str(WAITS), "cause": "another account"}


def page_person(user: AbstractBaseUser | AnonymousUser) -> str:
    """What stands for an account in its pages: 64 hexadecimal digits that tell nothing about it."""
    return salted_hmac("annotation.people.page_person", str(user.pk), algorithm="sha256").hexdigest()


def must_be_the_pages(request: Request) -> None:
    """Raise AnotherAccountError where the page that sends this belongs to another account than the one logged in."""
    sender = request.headers.get(HEADER, "")
    if sender and not constant_time_compare(sender, page_person(request.user)):
        raise AnotherAccountError
