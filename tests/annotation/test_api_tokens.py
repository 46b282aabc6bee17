"""API tokens: who makes them, what they open, and that nothing keeps or tells them."""

import json
import logging
import re
from datetime import timedelta
from functools import partial

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError
from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation.models import ApiToken
from annotation.people import api_tokens, members
from annotation.people.api_tokens import ApiTokenError
from annotation.roles import Role
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent
from tests.commands import said_by
from tests.people import client_of, make_user

pytestmark = pytest.mark.django_db
ACCOUNT = "/api/account/"


def ask(text: str, path: str = ACCOUNT, scheme: str = "Bearer") -> HttpResponse:
    return Client().get(path, headers={"authorization": f"{scheme} {text}"})


def token_on(page: HttpResponse) -> str:
    (text,) = re.findall(r"stephanie_[\w-]{43}", page.content.decode())
    return text


command = partial(said_by, "api_token")


def test_a_token_made_on_the_page_speaks_as_the_person_who_made_it() -> None:
    user = make_user(Role.RESEARCHER)
    page = client_of(user).post("/account/tokens/", {"name": "cluster job", "days": "30"})
    assert "no-store" in page["Cache-Control"]
    answer = ask(token_on(page)).json()
    assert (answer["username"], answer["role"]) == (user.username, "researcher")
    token = ApiToken.objects.get()
    assert (token.expires_at - token.created_at).days in (29, 30)
    assert [event.verb for event in AuditEvent.objects.all()] == [AuditVerb.API_TOKEN_CREATED]


def test_the_token_is_shown_once_and_nothing_stored_gives_access() -> None:
    user = make_user(Role.RESEARCHER)
    client = client_of(user)
    text = token_on(client.post("/account/tokens/", {"name": "cluster job", "days": "30"}))
    assert "cluster job" in client.get("/account/tokens/").content.decode()
    assert text not in client.get("/account/tokens/").content.decode()
    row = ApiToken.objects.values().get()
    assert text not in repr(row) + repr(list(AuditEvent.objects.values()))
    assert ask(row["token_sha256"]).status_code == 401


def test_a_revoked_token_opens_nothing_and_its_name_is_free_again() -> None:
    user = make_user(Role.RESEARCHER)
    token, text = api_tokens.issue(user=user, name="job", by=user)
    page = client_of(user).post(f"/account/tokens/{token.pk}/revoke/", follow=True)
    assert "is revoked" in page.content.decode()
    assert ask(text).status_code == 401
    assert api_tokens.issue(user=user, name="job", by=user)[0] != token


def test_a_token_that_has_run_out_opens_nothing() -> None:
    token, text = api_tokens.issue(user=make_user(Role.RESEARCHER), name="job", by=None)
    ApiToken.objects.filter(pk=token.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert ask(text).status_code == 401


def test_the_token_of_a_deactivated_account_opens_nothing_even_once_it_is_reactivated() -> None:
    admin, user = make_user(Role.ADMIN), make_user(Role.RESEARCHER)
    _, text = api_tokens.issue(user=user, name="job", by=user)
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert ask(text).status_code == 401
    User.objects.filter(pk=user.pk).update(is_active=True)
    assert ask(text).status_code == 200
    members.deactivate(person=user, by=admin)
    members.reactivate(person=user, by=admin)
    assert ask(text).status_code == 401


def test_every_bad_token_gets_the_same_answer_that_says_what_to_do() -> None:
    user = make_user(Role.RESEARCHER)
    token, revoked = api_tokens.issue(user=user, name="job", by=user)
    api_tokens.revoke(token=token, by=user)
    answers = [ask(text) for text in (revoked, "stephanie_unknown", "", "a b c", "\u00fc", "x" * 10_000)]
    assert {(answer.status_code, answer.content) for answer in answers} == {(401, answers[0].content)}
    assert "Make a new one" in answers[0].json()["detail"]
    assert answers[0]["WWW-Authenticate"] == "Bearer"


def test_a_token_is_no_way_into_pages_or_rating() -> None:
    _, text = api_tokens.issue(user=make_user(Role.ADMIN), name="job", by=None)
    assert ask(text, "/people/").status_code == 302
    assert ask(text, "/account/tokens/").status_code == 302
    headers = {"authorization": f"Bearer {text}"}
    path = reverse("rate_draft", args=["some-item"])
    assert Client().post(path, {}, content_type="application/json", headers=headers).status_code == 403


def test_another_scheme_is_nobody() -> None:
    _, text = api_tokens.issue(user=make_user(Role.ADMIN), name="job", by=None)
    assert ask(text, scheme="Basic").status_code == 401


def test_its_last_use_is_noted_to_the_minute() -> None:
    token, text = api_tokens.issue(user=make_user(Role.RESEARCHER), name="job", by=None)
    ask(text)
    first = ApiToken.objects.get().last_used_at
    ask(text)
    assert first is not None
    assert ApiToken.objects.get().last_used_at == first
    ApiToken.objects.filter(pk=token.pk).update(last_used_at=first - timedelta(minutes=2))
    ask(text)
    assert ApiToken.objects.get().last_used_at > first - timedelta(minutes=1)


def test_nobody_revokes_the_token_of_another() -> None:
    token, text = api_tokens.issue(user=make_user(Role.RESEARCHER), name="job", by=None)
    assert client_of(make_user(Role.ADMIN)).post(f"/account/tokens/{token.pk}/revoke/").status_code == 404
    assert ask(text).status_code == 200


def test_a_form_sent_twice_makes_one_token() -> None:
    client, form = client_of(make_user(Role.RESEARCHER)), {"name": "job", "days": "30"}
    assert client.post("/account/tokens/", form).status_code == 200
    again = client.post("/account/tokens/", form)
    assert again.status_code == 422
    assert "already" in again.content.decode()
    assert ApiToken.objects.count() == 1


def test_the_database_itself_keeps_names_apart() -> None:
    user = make_user(Role.RESEARCHER)
    token, _ = api_tokens.issue(user=user, name="job", by=None)
    with pytest.raises(IntegrityError), transaction.atomic():
        ApiToken.objects.create(user=user, name="job", token_sha256="0" * 64, expires_at=token.expires_at)


def test_no_log_tells_a_token(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    user = make_user(Role.RESEARCHER)
    text = token_on(client_of(user).post("/account/tokens/", {"name": "job", "days": "7"}))
    ask(text)
    ask(text + "x")
    ask(text, "/api/no-such-address/")
    shown = "".join(f"{record.getMessage()}{record.exc_text}" for record in caplog.records)
    assert "no-such-address" in shown
    assert text not in shown


def test_tokens_are_made_listed_and_revoked_on_the_command_line() -> None:
    user = make_user(Role.RESEARCHER)
    made = command("create", user.username, "--name", "job", "--days", "3", "--json")
    assert ask(made["token"]).json()["username"] == user.username
    listed = command("list", user.username, "--json")["tokens"]
    assert [row["name"] for row in listed] == ["job"]
    assert made["token"] not in json.dumps(listed)
    assert "revoked" in command("revoke", user.username, "--name", "job")
    assert ask(made["token"]).status_code == 401
    assert command("create", user.username, "--name", "job").startswith("stephanie_")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("create", "nobody", "--name", "job"), "no account 'nobody'"),
        (("create", "the-researcher", "--name", "job", "--days", "0"), "from 1 to 365 days"),
        (("create", "the-researcher", "--name", "n" * 81), "from 1 to 80 letters"),
        (("revoke", "the-researcher", "--name", "none"), "Available: kept"),
        (("create", "the-researcher", "--name", "kept"), "already"),
    ],
)
def test_the_command_says_what_to_do_about_an_error(arguments: tuple[str, ...], words: str) -> None:
    api_tokens.issue(user=make_user(Role.RESEARCHER), name="kept", by=None)
    with pytest.raises(CommandError, match=words):
        command(*arguments)
    assert ApiToken.objects.count() == 1


def test_a_token_cannot_live_for_ever() -> None:
    with pytest.raises(ApiTokenError, match="365"):
        api_tokens.issue(user=make_user(Role.RESEARCHER), name="job", days=366, by=None)
