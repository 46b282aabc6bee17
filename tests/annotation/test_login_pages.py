"""Logging in, being locked out, changing a password, and the pages that refuse."""

import re

import pytest
from django.template.loader import render_to_string
from django.test import Client, RequestFactory

from annotation.roles import Role
from tests.people import PASSWORD, client_of, make_user

pytestmark = pytest.mark.django_db


def attempt(name: str, password: str = "wrong", client: Client | None = None) -> tuple[int, str]:
    """Status and page of one try, without what differs from page to page anyway."""
    response = (client or Client()).post("/login/", {"username": name, "password": password})
    page = re.sub(r'(value|hx-headers)=("[^"]*"|\'[^\']*\')', "", response.content.decode())
    return response.status_code, page


def test_a_wrong_password_and_an_unknown_name_get_the_same_reply() -> None:
    make_user(Role.RATER, "known")
    assert attempt("known") == attempt("unknown")


def test_a_disabled_account_gets_the_same_reply_even_with_its_password() -> None:
    user = make_user(Role.RATER, "disabled")
    user.is_active = False
    user.save(update_fields=["is_active"])
    assert attempt("disabled", PASSWORD) == attempt("unknown")


def test_after_ten_wrong_passwords_the_right_one_is_refused_too_and_the_page_says_for_how_long() -> None:
    make_user(Role.RATER, "known")
    for _ in range(10):
        status, page = attempt("known")
    assert status == 429
    assert "Wait 5 minutes" in page
    assert attempt("known", PASSWORD)[0] == 429


def test_an_unknown_name_is_locked_out_just_like_a_known_one() -> None:
    make_user(Role.RATER, "known")
    assert [attempt("known") for _ in range(11)] == [attempt("unknown") for _ in range(11)]


def test_a_lock_on_one_account_leaves_others_free() -> None:
    make_user(Role.RATER, "known")
    for _ in range(11):
        attempt("unknown")
    assert attempt("known", PASSWORD)[0] == 302


def test_log_in_leads_only_to_pages_of_this_site() -> None:
    make_user(Role.RATER, "known")
    form = {"username": "known", "password": PASSWORD, "next": "https://elsewhere.example/"}
    response = Client().post("/login/", form)
    assert response.headers["Location"] == "/"


def test_who_is_logged_in_already_is_sent_home_from_the_log_in_page() -> None:
    client = client_of(make_user(Role.RATER))
    assert client.get("/login/").headers["Location"] == "/"


def test_log_out_needs_a_form_so_that_a_link_from_elsewhere_cannot_do_it() -> None:
    client = client_of(make_user(Role.RATER))
    assert client.get("/logout/").status_code == 405
    assert client.post("/logout/").headers["Location"] == "/login/"
    assert client.get("/").status_code == 302


def test_a_changed_password_opens_and_the_old_one_does_not() -> None:
    make_user(Role.RATER, "known")
    client = Client()
    client.login(request=RequestFactory().get("/login/"), username="known", password=PASSWORD)
    new = "another long walk"
    form = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert client.post("/account/password/", form, follow=True).redirect_chain == [("/account/password/changed/", 302)]
    assert attempt("known", PASSWORD)[0] == 200
    assert attempt("known", new)[0] == 302


def test_a_weak_password_is_refused_beside_its_field() -> None:
    make_user(Role.RATER, "known")
    client = Client()
    client.login(request=RequestFactory().get("/login/"), username="known", password=PASSWORD)
    form = {"old_password": PASSWORD, "new_password1": "short", "new_password2": "short"}
    page = client.post("/account/password/", form).content.decode()
    assert 'id="id_new_password2_error"' in page
    assert "at least 10 characters" in page


def test_a_form_without_its_token_is_refused_with_a_way_back() -> None:
    response = Client(enforce_csrf_checks=True).post("/login/", {"username": "a", "password": "b"})
    assert response.status_code == 403
    assert "This form is out of date" in response.content.decode()


def test_a_missing_page_tells_nothing_about_what_exists() -> None:
    client = client_of(make_user(Role.RATER))
    response = client.get("/no/such/page/")
    assert response.status_code == 404
    assert "There is no such page" in response.content.decode()


def test_the_page_for_a_broken_server_needs_nothing_that_may_be_broken() -> None:
    # Django renders it without a request, a user or a database.
    assert "Something broke on our side" in render_to_string("500.html")
