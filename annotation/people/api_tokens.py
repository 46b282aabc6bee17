"""API tokens: a script acts as a person, with that person's rights; it sends `Authorization: Bearer …`.

A token has 256 random bits, so guessing needs no rate limit (see `annotation.people.invitations`). Only its SHA-256 is
stored; the token itself appears once, on the page or in the command that made it.
"""

import secrets
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from annotation.models import ApiToken
from annotation.models.tokens import digest
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent

# Lets people and secret scanners recognise a leaked token.
PREFIX = "stephanie_"
DAYS, MOST_DAYS = 90, 365
LONGEST_NAME = 80
USE_IS_NOTED_EVERY = timedelta(minutes=1)
REFUSED = (
    "This API token is unknown, revoked or has run out. Make a new one on the page “API tokens”, in the menu behind "
    "your name."
)


class ApiTokenError(ValueError):
    """A token that cannot be made or revoked; the text says what to do."""


def issue(*, user: User, name: str, days: int = DAYS, by: User | None) -> tuple[ApiToken, str]:
    """Make a token; returns it with its text, which is not stored. `by=None`: command line. Raises ApiTokenError."""
    if not 1 <= len(name) <= LONGEST_NAME:
        raise ApiTokenError(f"A token's name has from 1 to {LONGEST_NAME} letters.")
    if not 1 <= days <= MOST_DAYS:
        raise ApiTokenError(f"A token lasts from 1 to {MOST_DAYS} days.")
    text = PREFIX + secrets.token_urlsafe(32)
    expires = timezone.now() + timedelta(days=days)
    try:
        with transaction.atomic():
            token = ApiToken.objects.create(user=user, name=name, token_sha256=digest(text), expires_at=expires)
            AuditEvent.record(by, AuditVerb.API_TOKEN_CREATED, token, user=user.get_username(), days=days)
    except IntegrityError as error:
        raise ApiTokenError(f"A token named “{name}” already exists. Revoke it or choose another name.") from error
    return token, text


@transaction.atomic
def revoke(*, token: ApiToken, by: User | None) -> bool:
    """Revoke a token for good; False if it was revoked already."""
    revoked = ApiToken.objects.kept().filter(pk=token.pk).update(revoked_at=timezone.now())
    if revoked:
        AuditEvent.record(by, AuditVerb.API_TOKEN_REVOKED, token)
    return bool(revoked)


@transaction.atomic
def revoke_all(*, user: User, by: User | None) -> int:
    """Revoke all of a person's tokens for good; returns how many."""
    revoked = ApiToken.objects.kept().filter(user=user).update(revoked_at=timezone.now())
    if revoked:
        AuditEvent.record(by, AuditVerb.API_TOKENS_REVOKED, user, tokens=revoked)
    return revoked


def find(text: str) -> ApiToken | None:
    """The usable token with this text, with its user, or None for any reason. Records that it was used."""
    now = timezone.now()
    token = ApiToken.objects.usable(now).select_related("user").filter(token_sha256=digest(text)).first()
    if token is not None and (token.last_used_at is None or token.last_used_at < now - USE_IS_NOTED_EVERY):
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token


class TokenAuthentication(BaseAuthentication):
    """Log in as the token's user; leave other kinds of header to the next authentication class."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        scheme, _, text = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        # Replace bytes that are not ASCII: no token contains the replacement character.
        token = find(text.strip().decode("ascii", errors="replace"))
        if token is None:
            raise AuthenticationFailed(REFUSED)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"
