"""Check passwords, and limit how often they can be tried.

All strangers together have `MOST` tries for a name, however many addresses they use. Each browser and network from
which somebody has logged in to that name has `MOST` tries of its own, so that strangers who use up theirs lock nobody
out. Browsers count separately from their network, because a whole classroom may share one address.

A try is counted before the password is checked, so that simultaneous tries cannot evade the limit. A refused try is not
counted, so it does not prolong the wait. django-axes would serve only this purpose, but it counts afterwards and knows
no places: it locks a name either for everybody or, for a guesser with many addresses, not at all.
"""

import re
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from math import ceil
from typing import Any

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.crypto import salted_hmac

from annotation.models import PasswordTries

MOST = 10
WAIT = timedelta(minutes=5)
ELSEWHERE = ""
PLACES_ARE_KEPT = timedelta(days=365)
# Identifies the browser and grants no access.
COOKIE = "stephanie-browser"
BROWSER = re.compile(r"[0-9a-f]{32}")


class WaitError(Exception):
    """No try is left; `seconds` says how long to wait."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"no try for {seconds} s")
        self.seconds = seconds


class CountingBackend(ModelBackend):
    """Django's password check with counting; it stops later backends from checking the same password again."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        """Without a request, in a command or shell, tries are not counted."""
        if request is None or username is None or password is None:
            return super().authenticate(request, username, password, **kwargs)
        browser = _browser_of(request)
        try:
            counted = take(username, _places(request, browser))
        except WaitError as wait:
            request.password_wait = wait.seconds  # type: ignore[attr-defined]
            raise PermissionDenied from None
        user = super().authenticate(request, username, password, **kwargs)
        if user is None:
            if counted.count == MOST:
                request.password_wait = int(WAIT.total_seconds())  # type: ignore[attr-defined]
            raise PermissionDenied
        browser = browser or secrets.token_hex(16)
        request.known_browser = browser  # type: ignore[attr-defined]
        give_back(counted, _places(request, browser))
        return user


class PasswordTriesMiddleware:
    """Responds with how long to wait when no try is left, and marks a browser whose password was right."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if wait := getattr(request, "password_wait", 0):
            context = {"minutes": ceil(wait / 60)}
            response = render(request, "registration/locked_out.html", context, status=429)
            response["Retry-After"] = str(wait)
        if browser := getattr(request, "known_browser", ""):
            age = int(PLACES_ARE_KEPT.total_seconds())
            secure = bool(settings.SESSION_COOKIE_SECURE)
            response.set_cookie(COOKIE, browser, max_age=age, secure=secure, httponly=True, samesite="Lax")
        return response


@transaction.atomic
def take(username: str, places: Sequence[str]) -> PasswordTries:
    """Count a try for the first known place of `places` (the narrowest first); raises WaitError if none is left."""
    now = timezone.now()
    known = set(PasswordTries.objects.filter(username=username, place__in=places).values_list("place", flat=True))
    place = next((place for place in places if place in known), ELSEWHERE)
    rows = PasswordTries.objects.select_for_update()
    row, _ = rows.get_or_create(username=username, place=place, defaults={"last_at": now})
    if row.last_at <= now - WAIT:
        row.count = 0
    if row.count >= MOST:
        raise WaitError(ceil((row.last_at + WAIT - now).total_seconds()))
    row.count += 1
    row.last_at = now
    row.save(update_fields=["count", "last_at"])
    return row


@transaction.atomic
def give_back(counted: PasswordTries, places: Sequence[str]) -> None:
    """After a right password: make `places` known for this name and forget their wrong tries.

    Elsewhere take back only this one try; forgetting more would give guessers new tries at each log-in of the owner.
    """
    if counted.place == ELSEWHERE:
        PasswordTries.objects.filter(pk=counted.pk, count__gt=0).update(count=F("count") - 1)
    for place in sorted(places):
        PasswordTries.objects.update_or_create(
            username=counted.username, place=place, defaults={"count": 0, "last_at": timezone.now()}
        )


def clear_expired(now: datetime) -> None:
    """Delete counts whose wait is over, and places that were not used for a year."""
    PasswordTries.objects.filter(place=ELSEWHERE, last_at__lte=now - WAIT).delete()
    PasswordTries.objects.filter(last_at__lte=now - PLACES_ARE_KEPT).delete()


def network_of(request: HttpRequest) -> str:
    """The sender's IPv4 address, or the /64 network of an IPv6 address, all of which one host may use; "" if unknown.

    Behind a proxy this is the proxy's address, unless TRUSTED_PROXIES names it (see `config.processes.web`).
    """
    try:
        address = ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return ""
    return str(address if address.version == 4 else ip_network((address, 64), strict=False))


def _browser_of(request: HttpRequest) -> str:
    browser = request.COOKIES.get(COOKIE, "")
    return browser if BROWSER.fullmatch(browser) else ""


def _places(request: HttpRequest, browser: str) -> list[str]:
    found = [("browser", browser), ("network", network_of(request))]
    return [
        salted_hmac(f"annotation.people.password_tries.{kind}", value, algorithm="sha256").hexdigest()
        for kind, value in found
        if value
    ]
