"""Fixtures that every test may use."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from demo.model.settings import DemoSettings
from tests.demo_server import DemoServer, running

# A busy machine draws examples slowly, which says nothing about the product.
hypothesis_settings.register_profile("patient", suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("patient")

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
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """SQLite in a file, as in production: threads and other processes see one database, with its real locks."""
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        database.setdefault("TEST", {})["NAME"] = str(settings.DATA_DIR / "test.sqlite3")
        # No test pulls the plug, and waiting for the disk is a third of what tests of runs take.
        options = database["OPTIONS"]
        options["init_command"] = options["init_command"].replace("synchronous=FULL", "synchronous=OFF")
