"""Inviting, accepting and managing people, in a real browser."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from annotation.people import invitations
from annotation.roles import Role, role_of
from tests.browser.watching import PageMaker, Watch, assert_accessible, assert_usable, sign_in
from tests.people import make_user

NEW_PASSWORD = "tall quiet lighthouse"


def test_an_admin_invites_a_rater_who_opens_the_link_and_lands_on_their_own_page(new_page: PageMaker) -> None:
    admin, guest = new_page(), new_page()
    sign_in(admin, make_user(Role.ADMIN))
    admin.goto("/people/")
    admin.get_by_role("link", name="Invite people").click()
    admin.get_by_label("E-mail address").fill("guest@example.org")
    admin.get_by_role("button", name="Make links").click()
    expect(admin.get_by_role("heading", name="The link is ready")).to_be_visible()
    admin.context.grant_permissions(["clipboard-read", "clipboard-write"])
    admin.get_by_role("button", name="Copy link").click()
    expect(admin.get_by_role("button", name="Copied")).to_be_visible()
    link = admin.evaluate("navigator.clipboard.readText()")
    assert link == admin.get_by_label("Link").input_value()

    guest.goto(link)
    guest.get_by_label("Username").fill("newcomer")
    guest.get_by_label("Password", exact=True).fill(NEW_PASSWORD)
    guest.get_by_label("Password confirmation").fill(NEW_PASSWORD)
    guest.get_by_role("button", name="Make my account").click()
    expect(guest.get_by_role("heading", name="Your studies")).to_be_visible()
    expect(guest.get_by_role("button", name="newcomer")).to_be_visible()
    assert role_of(User.objects.get(username="newcomer")) == Role.RATER

    admin.goto("/people/")
    expect(admin.get_by_role("link", name="newcomer")).to_be_visible()
    expect(admin.get_by_text("No invitation is open.")).to_be_visible()


def test_a_used_link_tells_the_next_person_to_ask_for_another(new_page: PageMaker, watch: Watch) -> None:
    watch.expect("status of 404")
    page = new_page()
    page.goto("/invitation/never-was-one/")
    expect(page.get_by_role("heading", name="This link is not valid any more")).to_be_visible()
    assert_accessible(page)


def test_a_poor_password_is_refused_beside_its_field(new_page: PageMaker, watch: Watch) -> None:
    watch.expect("status of 422")
    (token,) = invitations.issue(role=Role.RATER, by=None)
    page = new_page()
    page.goto(f"/invitation/{token}/")
    page.get_by_label("Username").fill("newcomer")
    page.get_by_label("Password", exact=True).fill("short")
    page.get_by_label("Password confirmation").fill("short")
    page.get_by_role("button", name="Make my account").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert_accessible(page)


def test_an_admin_changes_a_role_and_shuts_an_account(new_page: PageMaker) -> None:
    page, person = new_page(), make_user(Role.RATER)
    sign_in(page, make_user(Role.ADMIN))
    page.goto("/people/")
    page.get_by_role("link", name=person.username).click()
    page.get_by_label("Researcher").check()
    page.get_by_role("button", name="Change role").click()
    expect(page.get_by_text("is now in the role researcher")).to_be_visible()
    page.get_by_role("button", name="Deactivate").click()
    expect(page.get_by_text("can no longer log in")).to_be_visible()
    page.get_by_role("button", name="Reactivate").click()
    expect(page.get_by_text("can log in again")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_about_people_fit_and_are_accessible(new_page: PageMaker) -> None:
    admin, guest = new_page(), new_page()
    user, person = make_user(Role.ADMIN), make_user(Role.RATER)
    (token,) = invitations.issue(role=Role.RATER, by=user, email="a-rather-long-address@some-department.example.org")
    sign_in(admin, user)
    for path in ("/people/", "/people/?q=nobody", f"/people/{person.pk}/", f"/people/{user.pk}/", "/people/invite/"):
        admin.goto(path)
        assert_usable(admin)
    admin.get_by_label("How many links").fill("12")
    admin.get_by_role("button", name="Make links").click()
    expect(admin.get_by_role("heading", name="12 links are ready")).to_be_visible()
    assert_usable(admin)
    guest.goto(f"/invitation/{token}/")
    assert_usable(guest)
