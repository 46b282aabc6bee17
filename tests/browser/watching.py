"""Opening pages in Chromium and noticing everything that goes wrong on them."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.auth.models import User
from playwright.sync_api import ConsoleMessage, Page, Request

from tests.people import session_of

PageMaker = Callable[..., Page]
# Milliseconds. Only what fails waits so long: a machine may be several times slower than the one a test was written on,
# and a report's figures are drawn while its page loads, one after the other.
PATIENCE = 45_000


@dataclass
class Watch:
    """What the browser complained about; `expect` names what a test provokes on purpose."""

    home: str
    complaints: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def expect(self, pattern: str) -> None:
        """Allow complaints that match this regular expression, such as `status of 404`."""
        self.expected.append(pattern)

    def follow(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"script error: {error}"))
        page.on("request", self._request)
        page.on("requestfailed", self._request_failed)

    def unexpected(self) -> list[str]:
        return [text for text in self.complaints if not any(re.search(pattern, text) for pattern in self.expected)]

    def _console(self, message: ConsoleMessage) -> None:
        # A refused style, script or form arrives here too: Chromium reports CSP violations as console errors.
        if message.type in ("error", "warning"):
            self.complaints.append(f"console {message.type}: {message.text} ({message.location.get('url', '')})")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.home + "/", "data:", "blob:")):
            self.complaints.append(f"outbound request: {request.url}")

    def _request_failed(self, request: Request) -> None:
        # Leaving a page aborts what it was still loading; a download aborts its navigation.
        if request.failure != "net::ERR_ABORTED":
            self.complaints.append(f"failed request: {request.url} ({request.failure})")


def log_in(page: Page, name: str, password: str) -> None:
    """By the form that the page shows, as a person does."""
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def sign_in(page: Page, user: User) -> None:
    """Give the page's browser this user's session, without going through the log-in form."""
    cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session_of(user)}
    page.context.add_cookies([{**cookie, "domain": "127.0.0.1", "path": "/"}])


def assert_accessible(page: Page) -> None:
    """Fail with axe's report where the page breaks a WCAG 2.2 A or AA rule or a best practice."""
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def assert_fits(page: Page) -> None:
    """Fail where the page is wider than its window, which makes a phone scroll sideways."""
    page.wait_for_load_state()
    spill = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert spill <= 0, f"the page is {spill} px wider than its window"


def assert_usable(page: Page, *paths: str) -> None:
    """Fail where the page, or the one at each address, does not fit its window or breaks a rule of accessibility."""
    for path in paths:
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200, path
        assert_fits(page)
        assert_accessible(page)
    if not paths:
        assert_fits(page)
        assert_accessible(page)
