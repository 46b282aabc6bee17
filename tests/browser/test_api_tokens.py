"""Making, copying and revoking an API token, in a real browser."""

import pytest
from playwright.sync_api import Page, expect

from annotation.people import api_tokens
from annotation.roles import Role
from tests.browser.watching import PageMaker, assert_usable, sign_in
from tests.people import make_user


def test_a_researcher_makes_copies_and_revokes_a_token(new_page: PageMaker) -> None:
    page = new_page()
    sign_in(page, make_user(Role.RESEARCHER))
    page.goto("/")
    page.get_by_role("button", name="the-researcher").click()
    page.get_by_role("link", name="API tokens").click()
    page.get_by_label("Name").fill("cluster job")
    page.get_by_role("button", name="Make a token").click()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy token").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    text = page.evaluate("navigator.clipboard.readText()")
    answer = page.request.get("/api/account/", headers={"Authorization": f"Bearer {text}", "Cookie": ""})
    assert answer.json()["token_expires_at"]
    page.get_by_role("link", name="Done").click()
    expect(page.get_by_role("rowheader", name="cluster job")).to_be_visible()
    page.get_by_role("button", name="Revoke the token cluster job").click()
    expect(page.get_by_text("is revoked")).to_be_visible()
    expect(page.get_by_role("rowheader", name="cluster job")).to_have_count(0)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_token_pages_are_accessible_and_fit_a_phone(page: Page, width: int, scheme: str) -> None:
    user = make_user(Role.RESEARCHER)
    api_tokens.issue(user=user, name="a job with a <b>long</b> & odd name 🚀 " * 2, by=user)
    sign_in(page, user)
    page.goto("/account/tokens/")
    assert_usable(page)
    page.get_by_label("Name").fill("second job")
    page.get_by_role("button", name="Make a token").click()
    expect(page.get_by_role("heading", name="The token is ready")).to_be_visible()
    assert_usable(page)
