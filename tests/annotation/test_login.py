"""Log-in, log-out and passwords of people who have an account."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from annotation.models import PasswordTries
from annotation.people.password_tries import MOST as GUESSES
from annotation.roles import Role
from tests.people import PASSWORD, make_user

WRONG = "not the right password"


def guess(username: str, password: str, path: str = "/login/") -> tuple[int, str]:
    """The answer to one try from a fresh browser, without what differs by chance or repeats the name."""
    answer = Client().post(path, {"username": username, "password": password})
    text = re.sub(r'"X-CSRFToken": "[^"]+"|name="csrfmiddlewaretoken" value="[^"]+"', "", answer.content.decode())
    return answer.status_code, text.replace(username, "")


@pytest.mark.django_db
def test_guesses_at_a_known_and_at_an_unknown_name_are_answered_alike() -> None:
    make_user(Role.RATER, "known-name")
    for _ in range(GUESSES + 2):
        assert guess("known-name", WRONG) == guess("nobody-has", WRONG)


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/login/", "/admin/login/"])
def test_after_ten_wrong_guesses_even_the_right_password_waits_five_minutes(address: str) -> None:
    user = make_user(Role.RATER)
    for _ in range(GUESSES):
        guess(user.username, WRONG, address)
    status, text = guess(user.username, PASSWORD)
    assert status == 429
    assert "Too many attempts" in text
    PasswordTries.objects.update(last_at=timezone.now() - timedelta(minutes=4, seconds=50))
    assert guess(user.username, PASSWORD)[0] == 429


@pytest.mark.django_db
def test_a_log_in_works_again_after_the_wait() -> None:
    user = make_user(Role.RATER)
    for _ in range(GUESSES):
        guess(user.username, WRONG)
    PasswordTries.objects.update(last_at=timezone.now() - timedelta(minutes=5, seconds=1))
    assert guess(user.username, PASSWORD)[0] == 302


@pytest.mark.django_db
def test_one_persons_wrong_guesses_shut_nobody_else_out() -> None:
    make_user(Role.RATER, "ann")
    make_user(Role.RATER, "bob")
    for _ in range(GUESSES):
        guess("ann", WRONG)
    assert guess("bob", PASSWORD)[0] == 302


@pytest.mark.django_db
def test_the_right_password_forgets_the_wrong_ones_before_it() -> None:
    user = make_user(Role.RATER)
    for _ in range(3):
        for _ in range(GUESSES - 1):
            guess(user.username, WRONG)
        assert guess(user.username, PASSWORD)[0] == 302


@pytest.mark.django_db
def test_a_deactivated_account_is_answered_like_an_unknown_one() -> None:
    user = make_user(Role.RATER)
    User.objects.update(is_active=False)
    assert guess(user.username, PASSWORD) == guess("nobody-has", PASSWORD)


@pytest.mark.django_db
def test_a_new_password_replaces_the_old_one_and_ends_other_sessions() -> None:
    user, here, elsewhere = make_user(Role.RATER), Client(), Client()
    for client in (here, elsewhere):
        client.force_login(user)
    new = "quite another sentence"
    fields = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert here.post("/account/password/", fields, follow=True).redirect_chain[0][0] == "/account/password/changed/"
    assert here.get("/account/password/").status_code == 200
    assert elsewhere.get("/account/password/").status_code == 302
    assert guess(user.username, PASSWORD)[0] == 200
    assert guess(user.username, new)[0] == 302


@pytest.mark.django_db
def test_a_password_is_changed_only_by_somebody_who_knows_it() -> None:
    user, client = make_user(Role.RATER), Client()
    client.force_login(user)
    new = "quite another sentence"
    client.post("/account/password/", {"old_password": WRONG, "new_password1": new, "new_password2": new})
    assert guess(user.username, PASSWORD)[0] == 302


@pytest.mark.django_db
def test_only_a_post_logs_out() -> None:
    user, client = make_user(Role.RATER), Client()
    client.force_login(user)
    assert client.get("/logout/").status_code == 405
    assert client.get("/account/password/").status_code == 200
    assert client.post("/logout/").status_code == 302
    assert client.get("/account/password/").status_code == 302


@pytest.mark.django_db
@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "/\\evil.example/"])
def test_log_in_leads_to_no_other_server(target: str) -> None:
    user = make_user(Role.RATER)
    answer = Client().post("/login/", {"username": user.username, "password": PASSWORD, "next": target})
    assert answer.headers["Location"] == "/"


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/signup/", "/register/", "/accounts/signup/", "/people/new/"])
def test_there_is_no_other_way_to_an_account(path: str) -> None:
    fields = {"username": "stranger", "password1": PASSWORD, "password2": PASSWORD}
    Client().post(path, fields)
    assert not User.objects.exists()
