"""What many pages do after a POST: make one change for the person who asked, and tell them how it went."""

from collections.abc import Callable
from typing import cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest


def person_of(request: HttpRequest) -> User:
    """The logged-in person; call it where a log-in is required."""
    return cast(User, request.user)


def act(
    request: HttpRequest, change: Callable[..., object], said: str, *refusals: type[Exception], **values: object
) -> None:
    """Call `change(by=person, **values)`; show `said`, or the text of the refusal if it raises one of `refusals`."""
    try:
        change(by=person_of(request), **values)
    except refusals as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, said)
