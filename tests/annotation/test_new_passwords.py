"""A new password ends what the old one let in: sessions and API tokens, whoever sets it and how."""

from collections.abc import Callable
from io import StringIO

import pytest
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from annotation.models import ApiToken
from annotation.people import api_tokens, resets
from annotation.roles import Role
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent
from tests.people import PASSWORD, client_of, make_user

pytestmark = pytest.mark.django_db
NEW = "a longer walk by the lake"
TWICE = {"new_password1": NEW, "new_password2": NEW}


def by_changing_it(person: User) -> None:
    browser = client_of(person)
    asked = browser.get("/account/password/").content.decode()
    assert "Your API tokens end, too." in asked
    told = browser.post("/account/password/", {"old_password": PASSWORD, **TWICE}, follow=True).content.decode()
    assert "Your API tokens have ended, too" in told


def by_a_link(person: User) -> None:
    admin = User.objects.create_superuser("owner")
    made = client_of(admin).post(f"/people/{person.pk}/reset/").content.decode()
    assert "ends the account’s sessions and API tokens" in made
    browser = Client()
    page = browser.get(resets.issue(person=person, by=admin), follow=True)
    assert "Its API tokens end, too." in page.content.decode()
    assert browser.post(page.redirect_chain[-1][0], TWICE).status_code == 302


def by_the_admin_site(person: User) -> None:
    admin = client_of(User.objects.create_superuser("owner"))
    fields = {"password1": NEW, "password2": NEW, "usable_password": "true"}
    assert admin.post(f"/admin/auth/user/{person.pk}/password/", fields).status_code == 302


def by_a_command(person: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.contrib.auth.management.commands.changepassword.getpass.getpass", lambda prompt: NEW)
    call_command("changepassword", person.username, stdout=StringIO())


WAYS: dict[str, Callable[..., None]] = {
    "changing it": by_changing_it,
    "a link": by_a_link,
    "the admin site": by_the_admin_site,
    "a command": by_a_command,
}


@pytest.mark.parametrize("way", WAYS)
def test_it_ends_sessions_and_api_tokens(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    person, other = make_user(Role.RESEARCHER, "rey"), make_user(Role.RESEARCHER, "kim")
    texts = [api_tokens.issue(user=owner, name="cluster", by=None)[1] for owner in (person, other)]
    elsewhere = client_of(person)
    assert elsewhere.get("/account/tokens/").status_code == 200
    WAYS[way](person, **({"monkeypatch": monkeypatch} if way == "a command" else {}))
    person.refresh_from_db()
    assert person.check_password(NEW)
    assert elsewhere.get("/account/tokens/").status_code == 302
    asked = [Client().get("/api/account/", headers={"Authorization": f"Bearer {text}"}).status_code for text in texts]
    assert asked == [401, 200]
    event = AuditEvent.objects.get(verb=AuditVerb.API_TOKENS_REVOKED)
    assert (event.subject, event.detail) == (f"user:{person.pk}", {"tokens": 1})


def test_an_account_without_tokens_is_told_nothing_of_them() -> None:
    browser = client_of(make_user(Role.RATER))
    assert "API token" not in browser.get("/account/password/").content.decode()
    told = browser.post("/account/password/", {"old_password": PASSWORD, **TWICE}, follow=True)
    assert "API token" not in told.content.decode()
    assert not AuditEvent.objects.exists()


def test_a_stronger_hash_of_the_same_password_ends_nothing() -> None:
    person = make_user(Role.RESEARCHER, "rey")
    api_tokens.issue(user=person, name="cluster", by=None)
    User.objects.filter(pk=person.pk).update(password=make_password(PASSWORD, hasher="pbkdf2_sha256"))
    assert Client().post("/login/", {"username": "rey", "password": PASSWORD}).status_code == 302
    assert User.objects.get(pk=person.pk).password.startswith("argon2")
    assert ApiToken.objects.kept().count() == 1
