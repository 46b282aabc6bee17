"""The People page: who sees it, and what an admin may and may not change."""

import threading

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, DjangoDbBlocker

from annotation.models import Invitation, Profile
from annotation.models.people import profile_of
from annotation.people import invitations, members
from annotation.roles import Role, role_of
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent
from tests.people import PASSWORD, client_of, make_user


@pytest.mark.django_db
def test_the_page_names_everyone_with_role_and_pseudonym() -> None:
    admin, rater = make_user(Role.ADMIN), make_user(Role.RATER)
    page = client_of(admin).get("/people/").content.decode()
    assert rater.username in page
    assert admin.username in page
    assert "none yet" in page
    pseudonym = profile_of(rater).pseudonym
    assert pseudonym in client_of(admin).get("/people/").content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"admin", "ann", "bob", "old"}),
        ("?q=AN", {"ann"}),
        ("?q=bob@exam", {"bob"}),
        ("?show=rater", {"ann", "old"}),
        ("?show=researcher", {"bob"}),
        ("?show=admin", {"admin"}),
        ("?show=deactivated", {"old"}),
        ("?show=simulated", {"robot"}),
        ("?show=rater&q=nobody", set()),
        ("?show=nonsense", {"admin", "ann", "bob", "old"}),
    ],
)
def test_search_and_filter_narrow_the_list(query: str, found: set[str]) -> None:
    admin = make_user(Role.ADMIN, "admin")
    make_user(Role.RATER, "ann")
    User.objects.filter(pk=make_user(Role.RESEARCHER, "bob").pk).update(email="bob@example.org")
    User.objects.filter(pk=make_user(Role.RATER, "old").pk).update(is_active=False)
    Profile.objects.create(user=make_user(Role.RATER, "robot"), pseudonym="sim-1", is_simulated=True)
    page = client_of(admin).get(f"/people/{query}")
    assert {person.username for person, _ in page.context["rows"]} == found
    assert ("Nobody matches" in page.content.decode()) == (not found)


@pytest.mark.django_db
def test_a_long_list_comes_in_pages_of_few_queries(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    admin = client_of(make_user(Role.ADMIN))
    for number in range(60):
        make_user(Role.RATER, f"rater-{number:02}")
    with django_assert_max_num_queries(15):
        page = admin.get("/people/?page=2")
    assert len(page.context["rows"]) == 11


@pytest.mark.django_db
def test_a_change_of_role_is_the_whole_of_somebodys_rights_and_is_written_down() -> None:
    admin, person = make_user(Role.ADMIN), make_user(Role.RATER)
    answer = client_of(admin).post(f"/people/{person.pk}/role/", {"role": "researcher"}, follow=True)
    assert "is now in the role researcher" in answer.content.decode()
    person = User.objects.get(pk=person.pk)
    assert [group.name for group in person.groups.all()] == ["researcher"]
    event = AuditEvent.objects.get()
    assert (event.actor, event.verb, event.detail) == (
        admin,
        AuditVerb.ROLE_CHANGED,
        {"before": "rater", "after": "researcher"},
    )


@pytest.mark.django_db
def test_a_role_that_does_not_exist_is_refused() -> None:
    person = make_user(Role.RATER)
    answer = client_of(make_user(Role.ADMIN)).post(f"/people/{person.pk}/role/", {"role": "emperor"})
    assert answer.status_code == 422
    assert role_of(User.objects.get(pk=person.pk)) == Role.RATER


@pytest.mark.django_db
def test_the_last_admin_keeps_the_role_and_the_page_says_why() -> None:
    admin = make_user(Role.ADMIN)
    client = client_of(admin)
    assert "last admin" in client.get(f"/people/{admin.pk}/").content.decode()
    answer = client.post(f"/people/{admin.pk}/role/", {"role": "rater"}, follow=True)
    assert "last admin" in answer.content.decode()
    assert role_of(User.objects.get()) == Role.ADMIN


@pytest.mark.django_db
def test_an_admin_who_cannot_log_in_does_not_count() -> None:
    admin, away = make_user(Role.ADMIN), make_user(Role.ADMIN, "away")
    members.deactivate(person=away, by=admin)
    with pytest.raises(members.MemberError, match="last admin"):
        members.change_role(person=admin, role=Role.RATER, by=admin)
    members.reactivate(person=away, by=admin)
    members.change_role(person=admin, role=Role.RATER, by=admin)


@pytest.mark.django_db(transaction=True)
def test_two_admins_who_demote_each_other_at_once_leave_one(django_db_blocker: DjangoDbBlocker) -> None:
    ann, bob = make_user(Role.ADMIN, "ann"), make_user(Role.ADMIN, "bob")
    ready, refused = threading.Barrier(2), []

    def demote(person: User, by: User) -> None:
        ready.wait()
        try:
            with django_db_blocker.unblock():
                members.change_role(person=person, role=Role.RATER, by=by)
        except members.MemberError as refusal:
            refused.append(str(refusal))
        finally:
            connection.close()

    threads = [threading.Thread(target=demote, args=pair) for pair in ((ann, bob), (bob, ann))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert sorted(str(role_of(user)) for user in User.objects.all()) == ["admin", "rater"]


@pytest.mark.django_db
def test_deactivating_ends_sessions_log_in_and_open_invitations() -> None:
    admin, person = make_user(Role.ADMIN), make_user(Role.RESEARCHER)
    theirs = client_of(person)
    invitations.issue(role=Role.RATER, by=person)
    assert theirs.get("/").status_code == 200
    client_of(admin).post(f"/people/{person.pk}/deactivate/")
    assert theirs.get("/").status_code == 302
    entered = Client().post("/login/", {"username": person.username, "password": PASSWORD})
    assert entered.status_code == 200
    assert not entered.context["user"].is_authenticated
    assert not Invitation.objects.usable(timezone.now()).exists()
    client_of(admin).post(f"/people/{person.pk}/reactivate/")
    assert client_of(User.objects.get(pk=person.pk)).get("/").status_code == 200


@pytest.mark.django_db
def test_nobody_deactivates_themselves() -> None:
    admin = make_user(Role.ADMIN)
    make_user(Role.ADMIN, "other")
    answer = client_of(admin).post(f"/people/{admin.pk}/deactivate/", follow=True)
    assert "cannot deactivate yourself" in answer.content.decode()
    assert User.objects.get(pk=admin.pk).is_active


@pytest.mark.django_db
def test_a_lower_role_closes_the_links_it_could_not_make() -> None:
    admin, person = make_user(Role.ADMIN), make_user(Role.ADMIN, "other")
    for role in Role:
        invitations.issue(role=role, by=person)
    members.change_role(person=person, role=Role.RESEARCHER, by=admin)
    assert [link.role for link in Invitation.objects.usable(timezone.now())] == ["rater"]
    members.change_role(person=person, role=Role.RATER, by=admin)
    assert not Invitation.objects.usable(timezone.now()).exists()


@pytest.mark.django_db
def test_a_superuser_counts_as_an_admin_whom_only_a_superuser_changes() -> None:
    owner, admin = User.objects.create_superuser("owner"), make_user(Role.ADMIN)
    second = User.objects.create_superuser("second")
    assert owner.username in client_of(admin).get("/people/?show=admin").content.decode()
    for change in ("role", "deactivate"):
        answer = client_of(admin).post(f"/people/{owner.pk}/{change}/", {"role": "rater"}, follow=True)
        assert "Only another superuser" in answer.content.decode()
    members.change_role(person=owner, role=Role.RATER, by=second)
    owner = User.objects.get(pk=owner.pk)
    assert role_of(owner) == Role.RATER
    assert not owner.is_staff
