"""Which account a page belongs to, so that its script's requests fail after somebody else logs in in another tab."""

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
    """403 with a `cause`, on which the page waits until its own account is logged in again."""

    def __init__(self) -> None:
        super().__init__()
        self.detail: Any = {"detail": str(WAITS), "cause": "another account"}


def page_person(user: AbstractBaseUser | AnonymousUser) -> str:
    """The account's mark in its pages: a keyed hash of 64 hexadecimal digits."""
    return salted_hmac("annotation.people.page_person", str(user.pk), algorithm="sha256").hexdigest()


def must_be_the_pages(request: Request) -> None:
    """Raise AnotherAccountError if the sending page belongs to another account than the one logged in."""
    sender = request.headers.get(HEADER, "")
    if sender and not constant_time_compare(sender, page_person(request.user)):
        raise AnotherAccountError
