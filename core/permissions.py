"""Who asks, and whether they may.

Each view names the permission it needs, and what for, and refuses with a reason. After a POST it makes one change for
the person who asked, and tells them how it went.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.translation import gettext as _


class Asked(Protocol):
    """A request of Django or of the REST framework."""

    @property
    def user(self) -> Any: ...


P = ParamSpec("P")
R = TypeVar("R", bound=Asked)
T = TypeVar("T")


def requires(permission: str, to: str) -> Callable[[Callable[Concatenate[R, P], T]], Callable[Concatenate[R, P], T]]:
    """Let a view run only for users with `app.codename`; `to` completes the sentence on the 403 page.

    `config.middleware.LogInFirstMiddleware` takes care of the log-in itself.
    """

    def decorate(view: Callable[Concatenate[R, P], T]) -> Callable[Concatenate[R, P], T]:
        @wraps(view)
        def checked(request: R, *args: P.args, **kwargs: P.kwargs) -> T:
            refuse_without(request, permission, to)
            return view(request, *args, **kwargs)

        return cast(Callable[Concatenate[R, P], T], checked)

    return decorate


def refuse_without(request: Asked, permission: str, to: str) -> None:
    """Raise PermissionDenied, with the reason, if the user lacks the permission."""
    if not request.user.has_perm(permission):
        reason = _("Your role cannot %(do_this)s. An admin can change your role on the People page.")
        raise PermissionDenied(reason % {"do_this": _(to)})


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
