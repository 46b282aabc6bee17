"""The fault suite's rows in their short form: real workers, a real broker, a real database, killed and cut."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from tests.browser.server import database_url
from tests.faults import broker, chats, database, kills, promises, provider, rating, visibility
from tests.faults.model_server import ModelServer, running_model
from tests.faults.servers import private_redis
from tests.faults.site import Report, Site

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(shutil.which("redis-server") is None, reason="needs redis-server"),
    pytest.mark.skipif(
        "postgresql" not in settings.DATABASES["default"]["ENGINE"],
        reason="needs PostgreSQL (DATABASE_URL): SQLite has no connections to end and one writer at a time",
    ),
]


@pytest.fixture(scope="module")
def model() -> Iterator[ModelServer]:
    with running_model() as server:
        yield server


@pytest.fixture
def site(model: ModelServer, tmp_path: Path) -> Iterator[Site]:
    """The test's own database, and a broker that may be killed."""
    assert connection.vendor == "postgresql"
    with private_redis() as redis:
        yield Site(database_url(), redis, None, model, tmp_path, short=True)


def assert_kept(row: Callable[[Site], Report], site: Site) -> None:
    report = row(site)
    broken = [f"{one.name}: {one.value}, promised {one.promise}" for one in report.broken]
    assert not broken, "\n".join([*broken, site.log.read_text()[-3000:] if site.log.exists() else ""])


def test_killed_workers_lose_nothing_and_double_nothing(site: Site) -> None:
    assert_kept(kills.row, site)


def test_a_message_that_is_handed_out_again_sends_no_call_again(site: Site) -> None:
    assert_kept(visibility.row, site)


def test_a_run_outlives_its_broker(site: Site) -> None:
    assert_kept(broker.row, site)


def test_what_the_database_acknowledged_stays_when_its_connections_break(site: Site) -> None:
    assert_kept(database.row, site)


def test_what_a_rater_was_told_is_saved_stays_when_the_databases_connections_break(site: Site) -> None:
    assert_kept(rating.row, site)


def test_whatever_a_provider_does_has_its_name(site: Site) -> None:
    assert_kept(provider.row, site)


def test_one_run_one_budget_one_payment_and_an_estimate_that_comes_true(site: Site) -> None:
    assert_kept(promises.row, site)


def test_killed_servers_lose_no_message_and_pay_no_reply_twice(site: Site) -> None:
    assert_kept(chats.row, site)
