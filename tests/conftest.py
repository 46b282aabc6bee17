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
from generation.engine import inbox, lane, runner
from tests import database, examples  # noqa: F401 - loads the profile
from tests.annotation.streaming_model import StreamingModel, streaming_model
from tests.demo_server import DemoServer, running
from tests.people import client_of, make_user

# A hash that costs nothing; its parameters stand in it, so that servers of tests can check it, too.
Argon2.time_cost, Argon2.memory_cost = 1, 8
# Pauses in which a runner lets answers gather are most of what a run of three dialogues takes.
lane.IDLE_POLL = runner.IDLE_POLL = 0.05
inbox.SETTLE_PAUSE, inbox.READ_PAUSE = 0.01, 0.025

# What a test asks for where another database engine could make it end otherwise.
DATABASE_FIXTURES = {"db", "transactional_db", "django_db_setup"}
# Beside the checkout; a copy of it in `mutants/` looks one folder further up.
_BESIDE = [folder / "shared" for folder in Path(__file__).resolve().parents[2:4]]
SHARED = next((folder for folder in _BESIDE if folder.is_dir()), _BESIDE[0])
# The files with the longest tests.
LONGEST = (
    "annotation/test_balance.py", "annotation/test_http_raters.py", "annotation/test_queue_machine.py",
    "annotation/test_report_machine.py", "browser/test_main_job.py", "browser/test_start.py", "demo/test_demo.py",
    "faults/test_canary.py", "generation/test_run_stages_migration.py", "generation/test_workers.py",
    "generation/test_finetune_end_to_end.py", "annotation/test_chat_machine.py",
)  # fmt: skip


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--services-only", action="store_true", help="leave out tests that end the same on every database and broker"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--services-only"):
        config.hook.pytest_deselected(items=[item for item in items if not _uses_services(item)])
        items[:] = [item for item in items if _uses_services(item)]
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> tuple[bool, bool]:
    """Long tests come first, so that no process is left alone with one, then those that share a browser."""
    path = item.path.as_posix()
    return not path.endswith(LONGEST), "/tests/browser/" not in path


def _uses_services(item: pytest.Item) -> bool:
    if item.get_closest_marker("any_database"):
        return False
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


@pytest.fixture
def model() -> Iterator[StreamingModel]:
    """A model that streams what the test tells it to: `model.scenes`."""
    with streaming_model() as served:
        yield served


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
