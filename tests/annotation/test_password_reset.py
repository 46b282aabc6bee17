"""A forgotten password: an admin makes a link, and whoever holds it chooses a new password once."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.test import Client

from annotation.models import Profile
from annotation.people import members, resets
from annotation.roles import Role
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent
from tests.people import PASSWORD, client_of, make_user

pytestmark = pytest.mark.django_db
NEW = "a longer walk by the lake"
FORM = {"new_password1": NEW, "new_password2": NEW}


def link_for(person: User, by: User | None = None) -> str:
    """The link as the admin's page shows it."""
    page = client_of(by or make_user(Role.ADMIN, "keeper")).post(f"/people/{person.pk}/reset/").content.decode()
    (link,) = re.findall(r"<textarea[^>]*>([^<]*)</textarea>", page)
    return unescape(link).removeprefix("http://testserver")


def opened(link: str, browser: Client | None = None) -> tuple[int, str, str]:
    """Status, text and last address of the page behind a link."""
    answer = (browser or Client()).get(link, follow=True)
    return answer.status_code, answer.content.decode(), answer.redirect_chain[-1][0] if answer.redirect_chain else link


def enters(person: User, password: str) -> bool:
    answer = Client().post("/login/", {"username": person.username, "password": password})
    return answer.status_code == 302


def test_a_link_sets_a_new_password_and_leads_to_the_log_in_page() -> None:
    person, browser = make_user(Role.RATER), Client()
    status, text, address = opened(link_for(person), browser)
    assert (status, "Choose a new password" in text, person.username in text) == (200, True, True)
    answer = browser.post(address, FORM, follow=True)
    assert answer.redirect_chain == [("/login/", 302)]
    assert "The new password is set" in answer.content.decode()
    assert enters(person, NEW)
    assert not enters(person, PASSWORD)


def test_the_secret_leaves_the_address_bar_and_the_pages_are_not_kept() -> None:
    link = link_for(make_user(Role.RATER))
    _, text, address = opened(link, browser := Client())
    token = link.split("/")[-2]
    assert token not in address
    assert token not in text
    for path in (link, address):
        answer = browser.get(path)
        assert "no-store" in answer["Cache-Control"]
        assert answer["Referrer-Policy"] == "strict-origin"


def test_a_link_works_once() -> None:
    person, browser = make_user(Role.RATER), Client()
    link = link_for(person)
    early = Client()
    _, _, address = opened(link, early)
    opened(link, browser)
    assert browser.post(address, FORM).status_code == 302
    assert opened(link)[0] == 404
    # Neither the browser that used it nor one that opened it before gets any further.
    other = {"new_password1": "someone else's words", "new_password2": "someone else's words"}
    for client in (browser, early):
        answer = client.post(address, other)
        assert (answer.status_code, "not valid any more" in answer.content.decode()) == (404, True)
    assert enters(person, NEW)


def test_of_two_forms_sent_at_one_moment_the_second_changes_nothing() -> None:
    person = make_user(Role.RATER)
    token = link_for(person).split("/")[-2]
    first, second = User.objects.get(pk=person.pk), User.objects.get(pk=person.pk)
    first.set_password(NEW)
    second.set_password("someone else's words")
    assert resets.spend(person=first, token=token)
    assert not resets.spend(person=second, token=token)
    assert enters(person, NEW)


def log_in(person: User) -> None:
    assert enters(person, PASSWORD)


def change_password(person: User) -> None:
    person.set_password("thought of it after all")
    person.save(update_fields=["password"])


def deactivate(person: User) -> None:
    members.deactivate(person=person, by=User.objects.get(username="keeper"))


def make_superuser(person: User) -> None:
    User.objects.filter(pk=person.pk).update(is_superuser=True)


@pytest.mark.parametrize("end", [log_in, change_password, deactivate, make_superuser])
def test_a_link_ends_with_what_it_was_made_for(end: Callable[[User], None]) -> None:
    person, browser = make_user(Role.RATER), Client()
    link = link_for(person)
    _, _, address = opened(link, browser)
    end(person)
    before = User.objects.get(pk=person.pk).password
    assert opened(link)[0] == 404
    assert browser.post(address, FORM).status_code == 404
    assert User.objects.get(pk=person.pk).password == before


@pytest.mark.parametrize(("later", "status"), [(timedelta(hours=23), 200), (timedelta(hours=24, seconds=5), 404)])
def test_a_link_ends_after_a_day(later: timedelta, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    link = link_for(make_user(Role.RATER))
    then = datetime.now() + later  # noqa: DTZ005  (Django counts in naive local time here)
    monkeypatch.setattr(resets.Tokens, "_now", lambda self: then)
    assert opened(link)[0] == status


@pytest.mark.parametrize(
    "link", ["/account/reset/MQ/set-password/", "/account/reset/MQ/x-y/", "/account/reset/%C3%A9/x/"]
)
def test_a_link_that_never_was_is_answered_like_one_that_ended(link: str) -> None:
    status, text, _ = opened(link)
    assert (status, "not valid any more" in text) == (404, True)


def test_somebody_elses_link_is_not_bent_to_another_account() -> None:
    person, other = make_user(Role.RATER), make_user(Role.RESEARCHER)
    mine = link_for(person).split("/")
    theirs = link_for(other, by=User.objects.get(username="keeper")).split("/")
    mine[3] = theirs[3]
    assert opened("/".join(mine))[0] == 404


def test_a_poor_password_is_refused_beside_its_field_and_keeps_the_link() -> None:
    person, browser = make_user(Role.RATER), Client()
    _, _, address = opened(link_for(person), browser)
    answer = browser.post(address, {"new_password1": "short", "new_password2": "short"})
    assert answer.status_code == 422
    assert "at least 10 characters" in answer.content.decode()
    assert browser.post(address, FORM).status_code == 302


def test_making_and_using_a_link_are_written_down_without_the_link() -> None:
    person, admin, browser = make_user(Role.RATER), make_user(Role.ADMIN), Client()
    _, _, address = opened(link_for(person, by=admin), browser)
    browser.post(address, FORM)
    events = AuditEvent.objects.filter(subject=f"user:{person.pk}").order_by("pk")
    assert [(event.actor, event.verb, event.detail) for event in events] == [
        (admin, AuditVerb.RESET_LINK_CREATED, {}),
        (person, AuditVerb.PASSWORD_RESET, {}),
    ]


def test_a_new_password_ends_the_sessions_of_the_account() -> None:
    person, browser = make_user(Role.RATER), Client()
    theirs = client_of(person)
    _, _, address = opened(link_for(person), browser)
    assert theirs.get("/rate/").status_code == 200
    browser.post(address, FORM)
    assert theirs.get("/rate/").status_code == 302


@pytest.mark.parametrize("role", [Role.RATER, Role.RESEARCHER])
def test_only_an_admin_makes_links_and_the_others_are_told_why(role: Role) -> None:
    person = make_user(Role.RATER, "forgetful")
    answer = client_of(make_user(role, "curious")).post(f"/people/{person.pk}/reset/")
    assert answer.status_code == 403
    assert "Your role cannot" in answer.content.decode()
    assert not AuditEvent.objects.exists()


def test_an_admin_may_make_a_link_for_themselves() -> None:
    admin, browser = make_user(Role.ADMIN), Client()
    _, _, address = opened(link_for(admin, by=admin), browser)
    browser.post(address, FORM)
    assert enters(admin, NEW)


def no_longer_here(person: User) -> None:
    User.objects.filter(pk=person.pk).update(is_active=False)


def simulated(person: User) -> None:
    Profile.objects.create(user=person, pseudonym="sim-1", is_simulated=True)
    person.set_unusable_password()
    person.save(update_fields=["password"])


@pytest.mark.parametrize(
    ("become", "reason"),
    [
        (no_longer_here, "Reactivate it first"),
        (simulated, "Nobody logs in to this account"),
        (make_superuser, "Only another superuser"),
    ],
)
def test_some_accounts_get_no_link_and_their_page_says_why(become: Callable[[User], None], reason: str) -> None:
    person, admin = make_user(Role.RATER), client_of(make_user(Role.ADMIN))
    assert "Make a reset link" in admin.get(f"/people/{person.pk}/").content.decode()
    become(person)
    page = admin.get(f"/people/{person.pk}/").content.decode()
    assert reason in page
    assert "Make a reset link" not in page
    assert reason in admin.post(f"/people/{person.pk}/reset/", follow=True).content.decode()
    assert not AuditEvent.objects.exists()


def test_a_superuser_makes_a_link_for_another() -> None:
    person = User.objects.create_superuser("owner", password=PASSWORD)
    assert opened(link_for(person, by=User.objects.create_superuser("second")))[0] == 200


def test_a_name_full_of_markup_stays_text_on_every_page() -> None:
    name = '"><script>x()</script>'
    person, admin, browser = make_user(Role.RATER, name), make_user(Role.ADMIN), Client()
    made = client_of(admin).post(f"/people/{person.pk}/reset/").content.decode()
    link = resets.issue(person=person, by=admin)
    for text in (made, opened(link, browser)[1]):
        assert "<script>x()" not in text
        assert "&quot;&gt;&lt;script&gt;x()" in text
