"""Invitation links: who makes them, what they open, and for how long."""

import json
import re
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from annotation.models import Invitation, Membership, Profile, Study
from annotation.models.people import profile_of
from annotation.monitoring import states
from annotation.people import invitations, memberships
from annotation.roles import Role, role_of
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent
from tests.annotation import setting
from tests.people import client_of, make_user

NEW = {"username": "newcomer", "password1": "tall quiet lighthouse", "password2": "tall quiet lighthouse"}
SERVER = "http://testserver"


def links_on(html: str) -> list[str]:
    return re.findall(rf"{SERVER}(/invitation/[\w-]+/)", html)


def made_link(role: Role = Role.RATER, **fields: Any) -> str:
    (token,) = invitations.issue(role=role, by=None, **fields)
    return f"/invitation/{token}/"


@pytest.mark.django_db
def test_an_admins_link_makes_one_account_in_the_role_it_names_and_logs_it_in() -> None:
    admin = make_user(Role.ADMIN)
    page = client_of(admin).post("/people/invite/", {"role": "researcher", "count": 1, "email": ""})
    (link,) = links_on(page.content.decode())
    newcomer = Client()
    answer = newcomer.post(link, NEW, follow=True)
    user = User.objects.get(username="newcomer")
    assert role_of(user) == Role.RESEARCHER
    assert answer.context["user"] == user
    assert Profile.objects.get(user=user).pseudonym.startswith("rater-")
    invitation = Invitation.objects.get()
    assert (invitation.created_by, invitation.accepted_by) == (admin, user)
    assert [event.verb for event in AuditEvent.objects.order_by("pk")] == [
        AuditVerb.INVITATION_CREATED,
        AuditVerb.INVITATION_ACCEPTED,
    ]


@pytest.mark.django_db
def test_nothing_stored_gives_access() -> None:
    (token,) = invitations.issue(role=Role.RATER, by=None)
    row = Invitation.objects.values().get()
    assert token not in repr(row)
    assert Client().get(f"/invitation/{row['token_sha256']}/").status_code == 404


@pytest.mark.django_db
def test_the_links_of_a_class_are_all_different_and_shown_once() -> None:
    client = client_of(make_user(Role.ADMIN))
    page = client.post("/people/invite/", {"role": "rater", "count": 50})
    links = links_on(page.content.decode())
    assert len(set(links)) == Invitation.objects.count() == 50
    assert "no-store" in page["Cache-Control"]
    for path in ("/people/", "/people/invite/"):
        assert "/invitation/" not in client.get(path).content.decode().replace("/people/invitations/", "")


@pytest.mark.django_db
@pytest.mark.parametrize("count", ["0", "51", "", "many"])
def test_more_than_fifty_links_or_none_are_refused_in_words(count: str) -> None:
    page = client_of(make_user(Role.ADMIN)).post("/people/invite/", {"role": "rater", "count": count})
    assert page.status_code == 422
    assert "field-error" in page.content.decode()
    assert not Invitation.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("wanted", ["researcher", "admin"])
def test_a_researcher_makes_raters_only_whatever_they_post(wanted: str) -> None:
    researcher = make_user(Role.RESEARCHER)
    page = client_of(researcher).post("/people/invite/", {"role": wanted, "count": 1})
    assert page.status_code == 200
    assert Invitation.objects.get().role == "rater"
    with pytest.raises(PermissionError):
        invitations.issue(role=Role(wanted), by=researcher)


@pytest.mark.django_db
def test_a_rater_cannot_invite_and_is_told_why() -> None:
    answer = client_of(make_user(Role.RATER)).post("/people/invite/", {"role": "rater", "count": 1})
    assert answer.status_code == 403
    assert "cannot invite people" in answer.content.decode()


@pytest.mark.django_db
def test_a_studys_link_puts_its_rater_into_the_study() -> None:
    study = setting.study()
    researcher = make_user(Role.RESEARCHER)
    page = client_of(researcher).post(f"/studies/{study.pk}/invite/", {"count": 1, "role": "admin"})
    (link,) = links_on(page.content.decode())
    Client().post(link, NEW)
    membership = Membership.objects.get(study=study)
    assert membership.rater.username == "newcomer"
    assert role_of(membership.rater) == Role.RATER
    assert membership.assignments.count() == study.items.count()


@pytest.mark.django_db
def test_somebody_with_an_account_joins_the_study_with_it_and_keeps_their_role() -> None:
    study = setting.study()
    link = made_link(study=study)
    member = make_user(Role.RATER)
    client = client_of(member)
    assert "Join" in client.get(link).content.decode()
    client.post(link)
    assert Membership.objects.get(study=study).rater == member
    assert role_of(member) == Role.RATER
    assert User.objects.count() == 1
    assert Client().get(link).status_code == 404


@pytest.mark.django_db
def test_a_researcher_who_opens_a_link_to_a_study_is_told_how_to_be_added_and_does_not_use_it_up() -> None:
    study = setting.study()
    link = made_link(study=study)
    for answer in (client_of(make_user(Role.RESEARCHER, name)).post(link) for name in ("rey", "ruth")):
        assert answer.status_code == 403
        assert "You know this study’s dialogues" in answer.content.decode()
    assert not study.memberships.exists()
    assert Client().get(link).status_code == 200


@pytest.mark.django_db
def test_a_member_of_the_study_does_not_use_up_a_link_to_it() -> None:
    study = setting.study()
    link = made_link(study=study)
    membership = setting.member(study, "ann")
    page = client_of(membership.rater).post(link)
    assert "already" in page.content.decode()
    assert Client().get(link).status_code == 200


@pytest.mark.django_db
def test_a_link_without_a_study_gives_somebody_logged_in_no_new_role() -> None:
    link = made_link(Role.ADMIN)
    rater = make_user(Role.RATER)
    client_of(rater).post(link, NEW)
    assert role_of(rater) == Role.RATER
    assert User.objects.count() == 1
    assert Client().get(link).status_code == 200


def used(link: str) -> None:
    Client().post(link, NEW)


def expired(link: str) -> None:
    Invitation.objects.update(expires_at=timezone.now())


def revoked(link: str) -> None:
    invitations.revoke(invitation=Invitation.objects.get(), by=make_user(Role.ADMIN))


def closed(link: str) -> None:
    study = setting.study()
    Invitation.objects.update(study=study)
    states.close(study=study, by=None)


@pytest.mark.django_db
@pytest.mark.parametrize("end", [used, expired, revoked, closed])
def test_a_link_that_has_ended_answers_like_one_that_never_was(end: Callable[[str], None]) -> None:
    link = made_link()
    end(link)
    accounts = User.objects.count()
    never = Client().get("/invitation/never-was-one/")
    for answer in (Client().get(link), Client().post(link, NEW | {"username": "second"})):
        assert answer.status_code == never.status_code == 404
        assert "Ask the person who sent it" in answer.content.decode()
        assert without_chance(answer.content) == without_chance(never.content)
    assert User.objects.count() == accounts


def without_chance(body: bytes) -> str:
    """A page without the CSRF token, which differs each time, and its own address, which whoever opened it knows."""
    varying = r'"X-CSRFToken": "[^"]+"|name="(csrfmiddlewaretoken|next)" value="[^"]+"'
    return re.sub(varying, "", body.decode())


@pytest.mark.django_db
def test_opening_a_link_changes_nothing() -> None:
    link = made_link()
    for _ in range(3):
        assert Client().get(link).status_code == Client().head(link).status_code == 200
    assert Client().post(link, NEW).status_code == 302


@pytest.mark.django_db
def test_the_pages_of_a_link_are_not_cached_and_do_not_tell_their_address() -> None:
    for link in (made_link(), "/invitation/unknown/"):
        answer = Client().get(link)
        assert answer["Referrer-Policy"] == "strict-origin"
        assert "no-store" in answer["Cache-Control"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"password1": "short1", "password2": "short1"}, "too short"),
        ({"password1": "password123", "password2": "password123"}, "too common"),
        ({"password1": "newcomer12", "password2": "newcomer12"}, "too similar"),
        ({"password2": "something else entirely"}, "didn’t match"),
        ({"username": "THE-RATER"}, "already exists"),
    ],
)
def test_a_poor_password_or_a_taken_name_is_refused_and_keeps_the_link(fields: dict[str, str], words: str) -> None:
    make_user(Role.RATER)
    link = made_link()
    answer = Client().post(link, NEW | fields)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert User.objects.count() == 1
    assert Client().post(link, NEW).status_code == 302


@pytest.mark.django_db
def test_extra_fields_make_nobody_more_than_invited() -> None:
    Client().post(made_link(), NEW | {"is_superuser": "on", "is_staff": "on", "role": "admin", "groups": "1"})
    user = User.objects.get()
    assert not user.is_superuser
    assert not user.is_staff
    assert role_of(user) == Role.RATER


@pytest.mark.django_db(transaction=True)
def test_of_many_who_accept_one_link_at_once_one_gets_an_account(django_db_blocker: DjangoDbBlocker) -> None:
    link, ready, answers = made_link(), threading.Barrier(6), []

    def accept(number: int) -> None:
        client = Client()
        ready.wait()
        try:
            with django_db_blocker.unblock():
                answers.append(client.post(link, NEW | {"username": f"person-{number}"}).status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=accept, args=[number]) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [302, 404, 404, 404, 404, 404]
    assert User.objects.count() == 1


@pytest.mark.django_db
def test_a_researcher_revokes_their_own_links_and_knows_no_others() -> None:
    study = setting.study()
    ann, bob = make_user(Role.RESEARCHER, "ann"), make_user(Role.RESEARCHER, "bob")
    invitations.issue(role=Role.RATER, by=ann, study=study, email="one@example.org")
    invitations.issue(role=Role.RATER, by=bob, study=study, email="two@example.org")
    page = client_of(ann).get(f"/studies/{study.pk}/invite/").content.decode()
    assert "one@example.org" in page
    assert "two@example.org" not in page
    hers, his = Invitation.objects.order_by("pk")
    assert client_of(ann).post(f"/people/invitations/{his.pk}/revoke/").status_code == 404
    assert client_of(ann).post(f"/people/invitations/{hers.pk}/revoke/").status_code == 302
    assert list(Invitation.objects.usable(timezone.now())) == [his]


@pytest.mark.django_db
def test_an_admin_revokes_anybodys_link_once() -> None:
    invitations.issue(role=Role.RATER, by=make_user(Role.RESEARCHER))
    path = f"/people/invitations/{Invitation.objects.get().pk}/revoke/"
    admin = client_of(make_user(Role.ADMIN))
    assert "is revoked" in admin.post(path, follow=True).content.decode()
    assert "already ended" in admin.post(path, follow=True).content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("fields", [{"state": Study.State.CLOSED}, {"is_simulated": True}])
def test_a_closed_or_simulated_study_takes_no_invitations(fields: dict[str, Any]) -> None:
    study = setting.study()
    Study.objects.update(**fields)
    answer = client_of(make_user(Role.ADMIN)).get(f"/studies/{study.pk}/invite/", follow=True)
    assert answer.redirect_chain == [(f"/studies/{study.pk}/", 302)]
    assert "takes no more raters" in answer.content.decode()


@pytest.mark.django_db
def test_the_link_is_mailed_only_where_the_server_sends_mail(settings: Any) -> None:
    client, fields = client_of(make_user(Role.ADMIN)), {"role": "rater", "count": 1, "email": "guest@example.org"}
    client.post("/people/invite/", fields)
    assert mail.outbox == []
    settings.EMAIL_CONFIG = {"EMAIL_HOST": "mail.example.org"}
    page = client.post("/people/invite/", fields).content.decode()
    (message,) = mail.outbox
    assert message.to == ["guest@example.org"]
    assert SERVER + links_on(page)[0] in message.body
    assert "Also sent to guest@example.org" in page


@pytest.mark.django_db
def test_a_mail_server_that_is_down_costs_no_link(settings: Any) -> None:
    settings.EMAIL_CONFIG = {"EMAIL_HOST": "127.0.0.1"}
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9259
    client = client_of(make_user(Role.ADMIN))
    page = client.post("/people/invite/", {"role": "rater", "count": 1, "email": "guest@example.org"}).content.decode()
    assert "could not be sent" in page
    assert Client().get(links_on(page)[0]).status_code == 200


@pytest.mark.django_db
def test_an_address_for_several_links_is_refused() -> None:
    fields = {"role": "rater", "count": 2, "email": "guest@example.org"}
    page = client_of(make_user(Role.ADMIN)).post("/people/invite/", fields)
    assert "one link" in page.content.decode()
    assert not Invitation.objects.exists()


@pytest.mark.django_db
def test_the_command_prints_a_link_for_a_servers_first_admin(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("invite", "--role", "admin", "--base-url", SERVER + "/", "--days", "2", "--json")
    answer = json.loads(capsys.readouterr().out)
    Client().post(answer["link"].removeprefix(SERVER), NEW)
    assert role_of(User.objects.get()) == Role.ADMIN
    assert Invitation.objects.get().expires_at < timezone.now() + timedelta(days=2, minutes=1)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"base_url": ""}, "--base-url"),
        ({"base_url": "javascript:alert(1)"}, "--base-url"),
        ({"base_url": SERVER + ".org", "days": 0}, "--days"),
        ({"base_url": SERVER + ".org", "email": "nobody"}, "not an e-mail address"),
    ],
)
def test_the_command_says_what_to_give_instead(options: dict[str, Any], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        call_command("invite", role="admin", **options)
    assert not Invitation.objects.exists()


@pytest.mark.django_db
def test_an_invitation_cannot_be_both_used_and_revoked() -> None:
    invitations.issue(role=Role.RATER, by=None)
    now = timezone.now()
    with pytest.raises(IntegrityError), transaction.atomic():
        Invitation.objects.update(accepted_at=now, revoked_at=now)


@pytest.mark.django_db
def test_an_account_from_the_command_line_gets_a_pseudonym_at_its_first_need() -> None:
    owner = User.objects.create_superuser("owner")
    assert role_of(owner) == Role.ADMIN
    assert not Profile.objects.exists()
    memberships.join(study=setting.study(), rater=owner, by=None, knows_because="Tries the pages.")
    assert profile_of(owner) == Profile.objects.get(user=owner)


@pytest.mark.django_db
def test_a_pseudonym_that_is_taken_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    draws = iter(["rater-2222", "rater-2222", "rater-3333"])
    monkeypatch.setattr("annotation.models.people._pseudonym", lambda: next(draws))
    names = [profile_of(make_user(Role.RATER, name)).pseudonym for name in ("ann", "bob")]
    assert names == ["rater-2222", "rater-3333"]
