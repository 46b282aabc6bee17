"""Pages whose address is itself a secret: invitation and reset links."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from django.http import HttpResponse

P = ParamSpec("P")


def unshared(view: Callable[P, HttpResponse]) -> Callable[P, HttpResponse]:
    """Keep the address, which is the secret, out of Referer headers.

    `no-referrer` would also blank the Origin header of the form's POST, which the CSRF check then refuses.
    """

    @wraps(view)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        response = view(*args, **kwargs)
        response["Referrer-Policy"] = "strict-origin"
        return response

    return wrapped
