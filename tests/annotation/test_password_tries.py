"""Guessing passwords: how many are looked at, whom that locks out, and whom never."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib.auth.hashers import check_password
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone

from annotation.models import PasswordTries
from annotation.people import password_tries
from annotation.people.password_tries import MOST
from annotation.roles import Role
from annotation.tasks import clear_sessions
from tests.annotation.everything import url_names
from tests.people import PASSWORD, client_of, make_user

pytestmark = pytest.mark.django_db
WRONG = "not the right password"
HERE, ELSEWHERE, ABROAD = "10.1.1.1", "10.2.2.2", "10.3.3.3"
NEW = "another long walk"
looked_at: list[str] = []


@pytest.fixture
def evaluated(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The passwords that were compared with a hash."""
    looked_at.clear()

    def counting(self: User, password: str) -> bool:
        looked_at.append(password)
        return check_password(password, self.password)

    monkeypatch.setattr(User, "check_password", counting)
    return looked_at


def log_in(name: str, password: str, address: str = HERE, browser: Client | None = None) -> int:
    fields = {"username": name, "password": password}
    return int((browser or Client()).post("/login/", fields, REMOTE_ADDR=address).status_code)


def lock_out(name: str, address: str = ELSEWHERE) -> None:
    while log_in(name, WRONG, address) != 429:
        pass


def change(browser: Client, old: str, address: str = HERE, path: str = "/account/password/") -> int:
    fields = {"old_password": old, "new_password1": NEW, "new_password2": NEW}
    return int(browser.post(path, fields, REMOTE_ADDR=address).status_code)


def test_of_many_guesses_at_one_name_ten_are_looked_at(evaluated: list[str]) -> None:
    make_user(Role.RATER, "ann")
    for number in range(60):
        log_in("ann", f"guess number {number}", f"10.0.{number % 7}.{number % 250}")
    assert len(evaluated) == MOST


def test_the_log_in_pages_share_one_count(evaluated: list[str]) -> None:
    ann = make_user(Role.ADMIN, "ann")
    inside = client_of(ann)
    for path in ["/login/", "/admin/login/"] * 3:
        Client().post(path, {"username": "ann", "password": WRONG})
    for _ in range(20):
        change(inside, WRONG)
    assert len(evaluated) == MOST
    assert change(inside, PASSWORD) == 429


@pytest.mark.parametrize("path", ["/account/password/", "/admin/password_change/"])
def test_a_stolen_session_does_not_let_its_thief_guess_the_password(path: str, evaluated: list[str]) -> None:
    ann = User.objects.create_superuser("ann", password=PASSWORD)
    inside = client_of(ann)
    for number in range(60):
        change(inside, f"guess number {number}", path=path)
    assert len(evaluated) <= MOST
    ann.refresh_from_db()
    assert ann.check_password(PASSWORD)


def test_every_page_that_asks_for_a_password_is_tried_here() -> None:
    asking = {name for name in url_names() if re.search("log-?in|password|account", name)}
    # The reset form and an invitation ask for a new password only, the last two for none.
    assert asking == {
        "login", "password_change", "admin_password_change", "password_change_done", "password_reset", "api_account",
    }  # fmt: skip
    assert get_resolver().resolve("/admin/password_change/").func.view_class.__name__ == "RedirectView"  # type: ignore[attr-defined]


def test_guesses_at_one_moment_do_not_slip_by_together() -> None:
    # The count, not the clock: thirty tries that all read it before any of them has failed.
    def one(_: int) -> bool:
        try:
            password_tries.take("ann", [])
        except password_tries.WaitError:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(one, range(30))) == MOST


test_guesses_at_one_moment_do_not_slip_by_together.pytestmark = [pytest.mark.django_db(transaction=True)]  # type: ignore[attr-defined]


def test_the_right_password_from_a_known_network_works_while_a_stranger_guesses() -> None:
    make_user(Role.RATER, "ann")
    assert log_in("ann", PASSWORD, HERE) == 302
    lock_out("ann", ELSEWHERE)
    assert log_in("ann", PASSWORD, ABROAD) == 429
    assert log_in("ann", PASSWORD, HERE) == 302


def test_the_right_password_in_a_known_browser_works_wherever_it_is() -> None:
    make_user(Role.RATER, "ann")
    browser = Client()
    assert log_in("ann", PASSWORD, HERE, browser) == 302
    browser.post("/logout/")
    lock_out("ann", ELSEWHERE)
    assert log_in("ann", PASSWORD, ABROAD, browser) == 302


def test_in_a_class_room_nobody_shuts_a_neighbour_out() -> None:
    pupils = [make_user(Role.RATER, f"pupil-{number}").username for number in range(4)]
    browsers = {pupil: Client() for pupil in pupils}
    for pupil, browser in browsers.items():
        assert log_in(pupil, PASSWORD, HERE, browser) == 302
        browser.post("/logout/")
    for victim in pupils:
        lock_out(victim, HERE)
    assert [log_in(pupil, PASSWORD, HERE, browser) for pupil, browser in browsers.items()] == [302] * 4
    assert log_in(make_user(Role.RATER, "newcomer").username, PASSWORD, HERE) == 302


def test_a_browser_that_knows_one_account_is_a_stranger_to_another() -> None:
    make_user(Role.RATER, "ann")
    make_user(Role.RATER, "bob")
    browser = Client()
    log_in("bob", PASSWORD, ELSEWHERE, browser)
    browser.post("/logout/")
    lock_out("ann", ABROAD)
    assert log_in("ann", PASSWORD, ELSEWHERE, browser) == 429


@pytest.mark.parametrize("cookie", ["", "x", "0" * 32, "0" * 33, "é", "'; --"])
def test_a_made_up_cookie_opens_no_more_tries(cookie: str, evaluated: list[str]) -> None:
    make_user(Role.RATER, "ann")
    log_in("ann", PASSWORD, HERE)
    evaluated.clear()
    for number in range(30):
        browser = Client()
        browser.cookies[password_tries.COOKIE] = cookie or f"{number:032x}"
        log_in("ann", WRONG, ELSEWHERE, browser)
    assert len(evaluated) == MOST


def test_a_header_does_not_make_a_stranger_known(evaluated: list[str]) -> None:
    make_user(Role.RATER, "ann")
    log_in("ann", PASSWORD, HERE)
    evaluated.clear()
    for number in range(30):
        claims = {"X-Forwarded-For": HERE if number % 2 else f"10.9.9.{number}", "X-Real-IP": HERE, "Forwarded": HERE}
        fields = {"username": "ann", "password": WRONG}
        Client().post("/login/", fields, headers=claims, REMOTE_ADDR=ELSEWHERE)
    assert len(evaluated) == MOST


def test_log_ins_of_the_owner_give_guessers_no_more_tries(evaluated: list[str]) -> None:
    make_user(Role.RATER, "ann")
    for number in range(6):
        # Each time from somewhere new: counted with the strangers, and given back.
        log_in("ann", PASSWORD, f"10.8.8.{number}")
        for _ in range(3):
            log_in("ann", WRONG, ELSEWHERE)
    assert evaluated.count(WRONG) == MOST


def test_further_tries_do_not_make_the_wait_longer_and_the_answer_says_how_long_it_is() -> None:
    make_user(Role.RATER, "ann")
    lock_out("ann")
    PasswordTries.objects.update(last_at=timezone.now() - timedelta(minutes=3))
    for _ in range(3):
        answer = Client().post("/login/", {"username": "ann", "password": PASSWORD}, REMOTE_ADDR=ELSEWHERE)
        assert answer.status_code == 429
        assert 110 <= int(answer["Retry-After"]) <= 120
        assert "Wait 2 minutes" in answer.content.decode()
    PasswordTries.objects.update(last_at=timezone.now() - timedelta(minutes=5))
    assert log_in("ann", PASSWORD, ELSEWHERE) == 302


@pytest.mark.parametrize("name", ["ann", "nobody"])
def test_a_slow_guesser_has_no_more_than_ten_in_any_five_minutes(name: str, evaluated: list[str]) -> None:
    make_user(Role.RATER, "ann")
    statuses = []
    for _ in range(2 * MOST):
        statuses.append(log_in(name, WRONG))
        PasswordTries.objects.update(last_at=timezone.now() - timedelta(minutes=4))
    assert statuses == [200] * (MOST - 1) + [429] * (MOST + 1)


def test_addresses_of_one_ipv6_connection_are_one_network() -> None:
    make_user(Role.RATER, "ann")
    log_in("ann", PASSWORD, "2001:db8:0:7::1")
    lock_out("ann", ELSEWHERE)
    assert log_in("ann", PASSWORD, "2001:db8:0:7:aaaa::2") == 302
    assert log_in("ann", PASSWORD, "2001:db8:0:8::1") == 429


def test_the_table_names_neither_browser_nor_network() -> None:
    make_user(Role.RATER, "ann")
    browser = Client()
    log_in("ann", PASSWORD, HERE, browser)
    rows = str(list(PasswordTries.objects.values()))
    assert HERE not in rows
    assert browser.cookies[password_tries.COOKIE].value not in rows


def test_the_cookie_is_for_the_server_alone() -> None:
    make_user(Role.RATER, "ann")
    browser = Client()
    log_in("ann", PASSWORD, HERE, browser)
    cookie = browser.cookies[password_tries.COOKIE]
    assert (cookie["httponly"], cookie["samesite"], bool(cookie["max-age"])) == (True, "Lax", True)
    assert password_tries.COOKIE not in Client().post("/login/", {"username": "ann", "password": WRONG}).cookies


def test_a_guest_without_a_password_leaves_no_trace_here() -> None:
    client_of(User.objects.create_user("guest-1"))
    assert not PasswordTries.objects.exists()


def test_counts_that_are_over_and_places_of_long_ago_are_forgotten() -> None:
    make_user(Role.RATER, "ann")
    log_in("ann", PASSWORD, HERE)
    log_in("nobody", WRONG)
    PasswordTries.objects.update(last_at=timezone.now() - timedelta(minutes=6))
    clear_sessions()
    assert set(PasswordTries.objects.values_list("username", flat=True)) == {"ann"}
    PasswordTries.objects.update(last_at=timezone.now() - timedelta(days=366))
    clear_sessions()
    assert not PasswordTries.objects.exists()


def test_a_right_old_password_is_given_back_and_changes_the_password() -> None:
    ann = make_user(Role.RATER, "ann")
    inside = client_of(ann)
    for _ in range(MOST - 1):
        assert change(inside, WRONG) == 200
    assert change(inside, PASSWORD) == 302
    assert log_in("ann", NEW) == 302
