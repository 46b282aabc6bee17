"""Logging in and out, and the frame around every page."""

import pytest
from playwright.sync_api import Page, expect

from annotation.roles import Role
from tests.browser.watching import Watch, assert_accessible, assert_fits, sign_in
from tests.people import PASSWORD, make_user


def test_each_role_logs_in_with_its_password_and_logs_out_again(page: Page) -> None:
    for role in Role:
        user = make_user(role)
        page.goto("/")
        page.get_by_label("Username").fill(user.username)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        expect(page).to_have_url("/")
        page.get_by_role("button", name=user.username).click()
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_role("heading", name="Log in")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/", "/method/", "/account/password/"])
def test_the_common_pages_fit_and_are_accessible_in_both_widths_and_schemes(page: Page, path: str) -> None:
    sign_in(page, make_user(Role.ADMIN))
    page.goto(path)
    assert_fits(page)
    assert_accessible(page)


def test_a_missing_page_says_so_in_the_products_own_frame(page: Page, watch: Watch) -> None:
    watch.expect("status of 404")
    sign_in(page, make_user(Role.RATER))
    page.goto("/no/such/page/")
    expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()
    assert_accessible(page)
