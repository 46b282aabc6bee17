"""Fixtures that every test may use."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from pytest_django import DjangoDbBlocker

from annotation.people.passwords import Argon2
from annotation.roles import Role
from demo.model.faults import DemoSettings
from tests import database, examples  # noqa: F401 - loads the profile
from tests.demo_server import DemoServer, running
from tests.people import client_of, make_user

# A hash that costs nothing; its parameters stand in it, so that servers of tests can check it, too.
Argon2.time_cost, Argon2.memory_cost = 1, 8

# What a test asks for where another database engine could make it end otherwise.
DATABASE_FIXTURES = {"db", "transactional_db", "django_db_setup"}
SHARED = Path(__file__).resolve().parents[2] / "shared"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--services-only", action="store_true", help="leave out tests that use neither the database nor Redis"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--services-only"):
        config.hook.pytest_deselected(items=[item for item in items if not _uses_services(item)])
        items[:] = [item for item in items if _uses_services(item)]


def _uses_services(item: pytest.Item) -> bool:
    is_marked = item.get_closest_marker("django_db") or item.get_closest_marker("redis")
    return bool(is_marked or DATABASE_FIXTURES.intersection(getattr(item, "fixturenames", ())))


@pytest.fixture
def researcher(db: None) -> Client:
    """A client in which `the-researcher` is logged in."""
    return client_of(make_user(Role.RESEARCHER))


@pytest.fixture
def rater(db: None) -> Client:
    """A client in which `the-rater` is logged in."""
    return client_of(make_user(Role.RATER))


@pytest.fixture
def admin(db: None) -> Client:
    """A client in which `the-admin` is logged in."""
    return client_of(make_user(Role.ADMIN))


@pytest.fixture
def shared_data() -> Path:
    """The folder of real corpora beside the checkout; a checkout without it skips."""
    return _shared("data", "the real corpora")


@pytest.fixture
def shared_cases() -> Path:
    """The folder of small inputs with their right values beside the checkout; a checkout without it skips."""
    return _shared("cases", "the collected cases")


def _shared(name: str, what: str) -> Path:
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"{what} (../shared/{name}) are not beside this checkout")
    return folder


@pytest.fixture
def demo_model() -> Iterator[DemoServer]:
    """A demo model without delay or faults; set `demo_model.settings` for those."""
    with running(DemoSettings(seed=7)) as server:
        yield server


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, django_db_blocker: DjangoDbBlocker
) -> None:
    with django_db_blocker.unblock():
        database.begin_migrated()


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """SQLite's file is there already, and goes with the folder that it lies in."""
    return connection.vendor == "sqlite"


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    with django_db_blocker.unblock():
        database.empty_quickly()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        database.drop_template()
