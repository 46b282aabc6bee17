"""Sessions in the database, as Django keeps them; read by a query that is written once."""

from datetime import datetime
from typing import Any

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.utils import timezone

from dialogues.prepared import Prepared


def _unexpired(key: str, now: datetime) -> QuerySet[Session]:
    return Session.objects.filter(session_key=key, expire_date__gt=now)


UNEXPIRED = Prepared(_unexpired, key=str, now=datetime)


class SessionStore(db.SessionStore):
    """Django looks for a class of this name in the module that SESSION_ENGINE names."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def _get_session_from_db(self) -> Any:
        found = UNEXPIRED.first(key=self.session_key, now=timezone.now())
        if found is None:
            self._session_key = None
        return found
