"""Requests that the script of an open page sends: by session alone, and only as the account the page was opened by."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema
from rest_framework.authentication import SessionAuthentication
from rest_framework.decorators import api_view, authentication_classes
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

ApiView = Callable[..., Response]

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


def page_request(method: str) -> Callable[[ApiView], ApiView]:
    """An address for a page's script; without a session it responds with 403, never with a log-in page."""

    def decorate(view: ApiView) -> ApiView:
        @wraps(view)
        def checked(request: Request, token: str, **place: str) -> Response:
            must_be_the_pages(request)
            return view(request, token, **place)

        opened: Any = api_view([method])(authentication_classes([SessionAuthentication])(checked))
        made: ApiView = extend_schema(exclude=True)(never_cache(login_not_required(opened)))
        return made

    return decorate
