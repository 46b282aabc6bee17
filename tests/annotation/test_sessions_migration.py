"""Sessions moved to a table of the product's own and back to Django's: nobody has to log in again."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.urls import reverse
from django.utils import timezone

from annotation import triggers
from tests.annotation.setting import user
from tests.people import client_of

pytestmark = pytest.mark.django_db(transaction=True)


def migrate(name: str) -> Any:
    """The models' registry as of that migration."""
    with triggers.TRIGGERS.lifted():
        return MigrationExecutor(connection).migrate([("annotation", name)]).apps


def migrate_to_the_newest() -> None:
    migrate(MigrationExecutor(connection).loader.graph.leaf_nodes("annotation")[0][1])


def test_whoever_was_logged_in_before_all_of_them_stays_logged_in() -> None:
    ann = user("ann")
    migrate("0009_departures")
    try:
        browser = client_of(ann)
    finally:
        migrate_to_the_newest()
    assert browser.get(reverse("rate")).status_code == 200


def test_whoever_logged_out_or_ran_out_in_between_stays_out() -> None:
    ann = user("ann")
    stays, leaves, is_late = (client_of(ann) for _ in range(3))
    apps = migrate("0013_study_sources")
    try:
        # The older version knew its own table only, and left Django's as it was.
        sessions = apps.get_model("annotation", "Session").objects
        sessions.get(pk=leaves.session.session_key).delete()
        sessions.filter(pk=is_late.session.session_key).update(expire_date=timezone.now() - timedelta(seconds=1))
    finally:
        migrate_to_the_newest()
    assert [browser.get(reverse("rate")).status_code for browser in (stays, leaves, is_late)] == [200, 302, 302]
    assert Session.objects.count() == 1
