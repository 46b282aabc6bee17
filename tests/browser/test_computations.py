"""The page that waits for a computation, in Chromium: it asks again every second, and nothing may get lost by that."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from annotation.roles import Role
from core.models import Computation
from tests.browser.watching import Watch, assert_usable, sign_in
from tests.people import make_user


def running(page: Page) -> Computation:
    """A computation at its ninth step of twenty, and its page."""
    now = timezone.now()
    row = Computation.objects.create(
        key="a key", task="a.task", asked="asked", seconds=40, total=20, done=9, doing="Natural: agreement",
        state=Computation.State.RUNNING, asked_at=now, started_at=now, told_at=now + timedelta(minutes=5),
    )  # fmt: skip
    sign_in(page, make_user(Role.RESEARCHER))
    page.goto(f"/computations/{row.pk}/")
    return row


def tell(row: Computation, **fields: object) -> None:
    Computation.objects.filter(pk=row.pk).update(**fields)


def stepped(page: Page, row: Computation, done: int) -> None:
    tell(row, done=done)
    expect(page.get_by_text(f"{done} of 20").first).to_be_visible()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_the_button_keeps_the_focus_while_the_page_follows_the_steps(page: Page, width: int, scheme: str) -> None:
    row = running(page)
    expect(page.get_by_text("Natural: agreement")).to_be_visible()
    assert_usable(page)
    page.get_by_role("button", name="Stop").focus()
    for done in (10, 11):
        stepped(page, row, done)
        expect(page.get_by_role("button", name="Stop")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("The computation was stopped.")).to_be_visible()
    assert_usable(page)
    row.refresh_from_db()
    assert row.state == Computation.State.STOPPED


def test_once_it_is_stopped_or_has_failed_elsewhere_nothing_says_that_it_goes_on(page: Page) -> None:
    row = running(page)
    expect(page.get_by_text("the work goes on")).to_be_visible()
    tell(row, state=Computation.State.FAILED, problem="A reason.")
    expect(page.get_by_role("alert").get_by_text("A reason.")).to_be_visible()
    expect(page.get_by_role("button", name="Compute it")).to_be_visible()
    expect(page.get_by_text("the work goes on")).to_have_count(0)


def test_a_session_that_ends_meanwhile_puts_no_log_in_page_into_the_page(page: Page, watch: Watch) -> None:
    watch.expect("403")
    running(page)
    page.context.clear_cookies()
    expect(page.get_by_text("your session may have ended")).to_be_visible()
    expect(page.get_by_label("Password")).to_have_count(0)
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
