"""Refuse with a reason: every view that needs a right says which one and what for."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def requires(permission: str, to: str) -> Callable[[View[P]], View[P]]:
    """Let a view run only for users with `app.codename`; `to` completes the sentence on the 403 page.

    Log-in itself is demanded by LoginRequiredMiddleware.
    """

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def checked(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not request.user.has_perm(permission):
                raise PermissionDenied(f"Your role cannot {to}. An admin can change your role on the People page.")
            return view(request, *args, **kwargs)

        return cast(View[P], checked)

    return decorate
