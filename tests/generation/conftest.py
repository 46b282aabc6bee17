"""Fixtures of the generation tests."""

from collections.abc import Iterator

import pytest

from generation.demo_model.settings import DemoSettings
from tests.demo_server import DemoServer, running


@pytest.fixture
def demo_model() -> Iterator[DemoServer]:
    """A demo model without delay or faults; set `demo_model.settings` for those."""
    with running(DemoSettings(seed=7)) as server:
        yield server
