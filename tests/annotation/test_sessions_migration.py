"""Sessions move to Django's own table, and nobody has to log in again."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from annotation import triggers

pytestmark = pytest.mark.django_db(transaction=True)


def migrate(name: str) -> Any:
    """The models as they were after that migration of annotation."""
    with triggers.TRIGGERS.lifted():
        return MigrationExecutor(connection).migrate([("annotation", name)]).apps


def migrate_to_the_newest() -> None:
    migrate(MigrationExecutor(connection).loader.graph.leaf_nodes("annotation")[0][1])


def encoded(**values: str) -> str:
    return SessionStore().encode(values)


def test_whoever_is_logged_in_stays_logged_in_and_whoever_is_out_stays_out() -> None:
    ann = User.objects.create(username="ann")
    soon, before = timezone.now() + timedelta(days=1), timezone.now()
    old = migrate("0013_study_sources").get_model("annotation", "Session").objects
    try:
        left_from_before = Session(session_key="key from before", session_data=encoded(), expire_date=soon)
        left_from_before.save()
        old.create(
            session_key="key of ann",
            session_data=encoded(**{SESSION_KEY: str(ann.pk)}),
            expire_date=soon,
            account_id=ann.pk,
        )
        old.create(session_key="key of a stranger", session_data=encoded(told="once"), expire_date=soon)
        old.create(session_key="key that ran out", session_data=encoded(), expire_date=before)
    finally:
        migrate_to_the_newest()
    assert set(Session.objects.values_list("session_key", flat=True)) == {"key of ann", "key of a stranger"}
    assert SessionStore("key of ann")[SESSION_KEY] == str(ann.pk)
    assert SessionStore("key of a stranger")["told"] == "once"
