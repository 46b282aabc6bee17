"""Sessions move to the table that names their account, and nobody has to log in again."""

import pytest
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore as OldStore
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from annotation import triggers
from annotation.models import Session
from annotation.people.sessions import SessionStore

pytestmark = pytest.mark.django_db(transaction=True)


def migrate(name: str) -> None:
    with triggers.TRIGGERS.lifted():
        MigrationExecutor(connection).migrate([("annotation", name)])


def migrate_to_the_newest() -> None:
    migrate(MigrationExecutor(connection).loader.graph.leaf_nodes("annotation")[0][1])


def kept(**values: str) -> str:
    store = OldStore()
    store.update(values)
    store.create()
    return str(store.session_key)


def test_whoever_is_logged_in_stays_logged_in() -> None:
    ann = User.objects.create(username="ann")
    migrate("0009_departures")
    try:
        hers, strangers = kept(**{SESSION_KEY: str(ann.pk)}), kept(told="once")
        gone = kept(**{SESSION_KEY: str(ann.pk + 1)})
    finally:
        migrate_to_the_newest()
    assert dict(Session.objects.values_list("session_key", "account")) == {hers: ann.pk, strangers: None, gone: None}
    assert SessionStore(hers)[SESSION_KEY] == str(ann.pk)
    assert SessionStore(strangers)["told"] == "once"
