"""The frame around every page: menus, theme, skip link, and the admin site under the same policy."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from annotation.roles import Role
from tests.browser.watching import assert_accessible, assert_fits, sign_in
from tests.people import make_user
from tests.waiting import until


def background(page: Page) -> str:
    color: str = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    return color


@pytest.mark.parametrize("width", [390])
def test_on_a_phone_the_pages_open_from_a_button_by_keyboard_and_close_on_escape(page: Page) -> None:
    sign_in(page, make_user(Role.ADMIN))
    page.goto("/")
    corpora = page.get_by_role("navigation", name="Main").get_by_role("link", name="Corpora")
    expect(corpora).to_be_hidden()
    page.get_by_role("button", name="Pages").focus()
    page.keyboard.press("Enter")
    expect(corpora).to_be_visible()
    page.keyboard.press("Tab")
    expect(corpora).to_be_focused()
    assert_accessible(page)
    page.keyboard.press("Escape")
    expect(corpora).to_be_hidden()
    expect(page.get_by_role("button", name="Pages")).to_be_focused()


@pytest.mark.parametrize("width", [390, 320])
def test_a_long_name_does_not_push_the_header_off_a_phone(page: Page) -> None:
    sign_in(page, make_user(Role.ADMIN, "maximiliana-theodora-von-und-zu-irgendwo@example.org"))
    page.goto("/account/password/")
    assert_fits(page)
    expect(page.get_by_role("button", name="Pages")).to_be_in_viewport(ratio=1)


def test_on_a_desk_the_pages_are_there_without_a_button(page: Page) -> None:
    sign_in(page, make_user(Role.ADMIN))
    page.goto("/method/")
    expect(page.get_by_role("button", name="Pages")).to_be_hidden()
    links = page.get_by_role("navigation", name="Main").get_by_role("link")
    assert links.all_inner_texts() == [
        "Corpora", "Examples", "Endpoints", "Runs", "Training sets", "Chats", "Restructure", "Studies", "People",
    ]  # fmt: skip


def test_a_rater_is_led_to_rating_and_nowhere_else(page: Page) -> None:
    sign_in(page, make_user(Role.RATER))
    page.goto("/")
    assert page.get_by_role("navigation", name="Main").get_by_role("link").all_inner_texts() == ["Rate"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_chosen_theme_is_kept_from_page_to_page_and_given_back_to_the_system(page: Page, scheme: str) -> None:
    sign_in(page, make_user(Role.RESEARCHER, "keeper"))
    page.goto("/method/")
    systems = background(page)
    other = "Dark" if scheme == "light" else "Light"
    page.get_by_role("button", name="keeper").click()
    page.get_by_label(other).check()
    chosen = background(page)
    assert chosen != systems
    page.goto("/account/password/", wait_until="commit")
    # Before any module has run: the early script alone must have set it, or the page would flash.
    page.wait_for_selector("body", state="attached")
    assert page.evaluate("document.documentElement.dataset.theme") == other.lower()
    page.wait_for_load_state()
    assert background(page) == chosen
    page.get_by_role("button", name="keeper").click()
    page.get_by_label("System").check()
    page.reload()
    assert background(page) == systems


def test_the_first_tab_stop_skips_to_the_content(page: Page) -> None:
    sign_in(page, make_user(Role.RESEARCHER))
    page.goto("/method/")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


@pytest.mark.parametrize("width", [390])
def test_a_table_too_wide_for_a_phone_can_be_scrolled_by_keyboard(page: Page) -> None:
    sign_in(page, make_user(Role.RESEARCHER))
    page.goto("/method/")
    table = page.get_by_role("region", name="Printed shares in percent")
    table.focus()
    page.keyboard.press("ArrowRight")
    # The policy refuses the script that `wait_for_function` would leave in the page, so ask from outside.
    until(lambda: table.evaluate("box => box.scrollLeft"), "the table scrolls", seconds=10)
    assert table.evaluate("box => box.scrollLeft") > 0


def test_the_admin_site_works_under_the_same_policy(page: Page) -> None:
    admin = User.objects.create_superuser("root", password="a long walk by the sea")
    sign_in(page, admin)
    for path in ("/admin/", "/admin/auth/user/", f"/admin/auth/user/{admin.pk}/change/", "/admin/auth/group/add/"):
        page.goto(path)
        page.wait_for_load_state("networkidle")
        assert page.locator("#content h1").is_visible()
