"""Who is asking, and when a session no longer counts."""

from typing import Any

import pytest
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation.tasks import clear_sessions
from tests.annotation.setting import user
from tests.people import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann() -> User:
    return user("ann")


@pytest.fixture
def browser(ann: User) -> Client:
    return client_of(ann)


def is_in(client: Client) -> bool:
    return client.get(reverse("rate")).status_code == 200


def test_two_queries_say_who_is_asking(browser: Client, django_assert_num_queries: Any) -> None:
    assert is_in(browser)
    with django_assert_num_queries(2):
        # Who is in is sent on, which asks for nothing else.
        assert browser.get(reverse("login")).status_code == 302


def test_whoever_logs_out_leaves_no_session(browser: Client) -> None:
    assert is_in(browser)
    browser.post(reverse("logout"))
    assert not Session.objects.exists()


def test_a_changed_password_ends_the_other_browsers_sessions(ann: User, browser: Client) -> None:
    ann.set_password("another one, and long")
    ann.save()
    assert not is_in(browser)
    assert not Session.objects.exists()


def test_a_locked_account_is_out_at_once(ann: User, browser: Client) -> None:
    assert is_in(browser)
    User.objects.filter(pk=ann.pk).update(is_active=False)
    assert not is_in(browser)


def test_a_deleted_account_is_out_at_once(ann: User, browser: Client) -> None:
    assert is_in(browser)
    ann.delete()
    assert not is_in(browser)


def test_another_secret_ends_a_session_and_the_older_one_renews_it(browser: Client, settings: Any) -> None:
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another secret, long enough for anybody to be content"
    settings.SECRET_KEY_FALLBACKS = [old]
    assert is_in(browser)
    settings.SECRET_KEY_FALLBACKS = []
    assert is_in(browser)
    settings.SECRET_KEY = "a third one that nobody has signed anything with so far"
    assert not is_in(browser)


def test_sessions_that_ran_out_are_cleared_away(ann: User, browser: Client) -> None:
    old = client_of(ann)
    Session.objects.filter(pk=old.session.session_key).update(expire_date=timezone.now())
    assert not is_in(old)
    clear_sessions()
    assert [one.pk for one in Session.objects.all()] == [browser.session.session_key]
    assert is_in(browser)


def test_a_stranger_is_nobody_and_keeps_what_they_were_told(client: Client) -> None:
    """A session without an account: who joins by an open link has a session before an account."""
    session = client.session
    session["told"] = "once"
    session.save()
    assert not is_in(client)
    assert SESSION_KEY not in client.session
    assert client.session["told"] == "once"
