"""A real Chromium against a real server. Any complaint of the browser fails the test."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from pytest_django import DjangoDbBlocker

from annotation.models import Membership
from tests.annotation.setting import TWO, corpus, member, study
from tests.browser.server import Server, running_server
from tests.browser.watching import PATIENCE, PageMaker, Watch, sign_in

# The shell is the same engine without a browser's windows around it: a new profile takes a quarter of the time.
CHROMIUM = (
    os.environ.get("CHROMIUM")
    or shutil.which("chromium-headless-shell")
    or shutil.which("chromium")
    or "/usr/bin/chromium"
)
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


expect.set_options(timeout=PATIENCE)

# A page is looked at on a desk in light and on a phone in dark; with LOOKS=all in these two ways as well.
OTHER_LOOKS = {(1280, "dark"), (390, "light")}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    here = [item for item in items if item.path.is_relative_to(Path(__file__).parent)]
    for item in here:
        item.add_marker(pytest.mark.browser)
    if os.environ.get("LOOKS") != "all":
        left_out = {item for item in here if _look(item) in OTHER_LOOKS}
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]


def _look(item: pytest.Item) -> tuple[object, object]:
    values = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    return values.get("width"), values.get("scheme")


# While it runs, Playwright's event loop is this thread's: it must end before tests that start a loop of their own.
@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        reason = f"no Chromium at {CHROMIUM}; install it or name one in CHROMIUM"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def server(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Server]:
    """The product on an address of its own (`server.url`); its pages see what the test wrote."""
    with django_db_blocker.unblock(), running_server() as served:
        yield served


@pytest.fixture
def width() -> int:
    """The window's width; parametrize it (1280, 390) to look at both."""
    return 1280


@pytest.fixture
def scheme() -> str:
    """The system's colour scheme; parametrize it ("light", "dark") to look at both."""
    return "light"


@pytest.fixture
def watch(server: Server) -> Watch:
    return Watch(server.url)


@pytest.fixture
def new_page(
    transactional_db: None, chromium: Browser, server: Server, watch: Watch, width: int, scheme: str
) -> Iterator[PageMaker]:
    """Make pages, each in a browser profile of its own: several people at once."""
    contexts = []

    def make(**options: object) -> Page:
        viewport = {"width": width, "height": 844 if width < 600 else 900}
        context = chromium.new_context(base_url=server.url, viewport=viewport, color_scheme=scheme, **options)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        watch.follow(page)
        return page

    yield make
    for context in contexts:
        context.close()
    complaints = watch.unexpected()
    assert not complaints, "\n".join([*complaints, "--- server log ---", server.log.read_text()[-3000:]])


@pytest.fixture
def page(new_page: PageMaker) -> Page:
    """A watched page; `page.goto("/corpora/")` opens the product's own address."""
    return new_page()


@pytest.fixture
def ann(page: Page) -> Membership:
    """A rater of eight items, logged in."""
    rater = member(study(of=corpus(4, TWO), versions=TWO), "ann")
    sign_in(page, rater.rater)
    return rater
