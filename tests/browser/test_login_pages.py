"""Logging in and out, being locked out and being refused, as a person meets them."""

import pytest
from playwright.sync_api import Page, expect

from annotation.roles import Role
from tests.browser.watching import Watch, assert_accessible, assert_usable, log_in, sign_in
from tests.people import PASSWORD, make_user


def test_each_role_logs_in_with_its_password_and_logs_out_again(page: Page) -> None:
    for role in Role:
        user = make_user(role)
        page.goto("/account/password/")
        log_in(page, user.username, PASSWORD)
        expect(page).to_have_url("/account/password/")
        page.get_by_role("button", name=user.username).click()
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_role("heading", name="Log in")).to_be_visible()


def test_a_wrong_password_is_told_in_words_and_the_page_stays_accessible(page: Page) -> None:
    page.goto("/login/")
    log_in(page, "nobody", "wrong")
    expect(page.get_by_role("alert")).to_contain_text("correct username and password")
    assert_accessible(page)


def test_too_many_wrong_passwords_end_in_a_page_that_says_how_long_to_wait(page: Page, watch: Watch) -> None:
    watch.expect("status of 429")
    make_user(Role.RATER, "known")
    page.goto("/login/")
    for _ in range(10):
        log_in(page, "known", "wrong")
        page.wait_for_load_state()
    expect(page.get_by_role("heading", name="Too many attempts")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("link", name="Back to log-in").click()
    log_in(page, "known", PASSWORD)
    expect(page.get_by_role("heading", name="Too many attempts")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_common_pages_fit_and_are_accessible(page: Page) -> None:
    page.goto("/login/")
    assert_usable(page)
    sign_in(page, make_user(Role.ADMIN))
    for path in ("/", "/method/", "/account/password/", "/account/password/changed/"):
        page.goto(path)
        assert_usable(page)


@pytest.mark.parametrize("width", [1280, 390])
def test_refusals_are_pages_of_the_product_that_say_why(page: Page, watch: Watch) -> None:
    watch.expect("status of 40[34]")
    sign_in(page, make_user(Role.RATER))
    page.goto("/method/")
    expect(page.get_by_text("would tell a rater what a study compares")).to_be_visible()
    assert_accessible(page)
    page.goto("/no/such/page/")
    expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()
    assert_usable(page)
