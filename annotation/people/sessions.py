"""Django's database sessions, except that one query reads a session together with its account.

Every request asks for both. With Django's own sessions and middleware in its place, `tests.benchmarks.rating` with 32
raters kept 77 to 80 % of its pairs a second (on a busy machine). It can go once they keep 85 %.
"""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.contrib.sessions.backends import db
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.functional import SimpleLazyObject

from annotation.models import Session
from core.database.prepared import Prepared


def _unexpired(key: str, now: datetime) -> QuerySet[Session]:
    rows = Session.objects.select_related("account").defer("expire_date", "account__date_joined", "account__last_login")
    return rows.filter(session_key=key, expire_date__gt=now)


UNEXPIRED = Prepared(_unexpired, key=str, now=datetime)


class SessionStore(db.SessionStore):
    """Django looks for a class of this name in the module that SESSION_ENGINE names."""

    # The account that was read with the session; `_proves` decides whether the session still belongs to it.
    account: User | None = None

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        made: Any = super().create_model_instance(data)
        made.account_id = int(data[SESSION_KEY]) if SESSION_KEY in data else None
        return made  # type: ignore[no-any-return]

    def _get_session_from_db(self) -> Any:
        found = UNEXPIRED.first(key=self.session_key, now=timezone.now())
        if found is None:
            self._session_key = None
        else:
            self.account = found.account
        return found


class AccountMiddleware(AuthenticationMiddleware):
    """Sets `request.user` from the row that the session was read from."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        request.user = SimpleLazyObject(lambda: _account(request))  # type: ignore[assignment]


def _account(request: HttpRequest) -> AbstractBaseUser | AnonymousUser:
    """The account, if the session proves it; every other case is Django's.

    Django ends sessions whose account changed its password, was locked or is gone, and renews those that were signed
    with an older secret.
    """
    session: Any = request.session
    named = session.get(SESSION_KEY)
    account = session.account
    return account if account is not None and _proves(session, named, account) else get_user(request)


def _proves(session: Any, named: str | None, account: User) -> bool:
    return (
        named == str(account.pk)
        and account.is_active
        and session.get(BACKEND_SESSION_KEY) in settings.AUTHENTICATION_BACKENDS
        and constant_time_compare(session.get(HASH_SESSION_KEY, ""), account.get_session_auth_hash())
    )
