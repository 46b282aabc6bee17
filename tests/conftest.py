"""Fixtures that every test may use."""

from pathlib import Path

import pytest
from django.conf import settings
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

# A busy machine draws examples slowly, which says nothing about the product.
hypothesis_settings.register_profile("patient", suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("patient")

SHARED = Path(__file__).resolve().parents[2] / "shared"


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


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """SQLite in a file, as in production: threads and other processes see one database, with its real locks."""
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        database.setdefault("TEST", {})["NAME"] = str(settings.DATA_DIR / "test.sqlite3")
        # No test pulls the plug, and waiting for the disk is a third of what tests of runs take.
        options = database["OPTIONS"]
        options["init_command"] = options["init_command"].replace("synchronous=FULL", "synchronous=OFF")
