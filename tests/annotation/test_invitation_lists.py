"""Inviting a whole list: what is read, what is refused, and who gets which letter."""

import csv
import io
from typing import Any

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from annotation.models import Invitation, Study
from annotation.models.people import profile_of
from annotation.recruitment.lists import MOST_ROWS, read_list
from tests.annotation.setting import corpus, study, user
from tests.people import client_of

LIST = "ann@example.org\nbob@example.org\n"


@pytest.mark.parametrize(
    "text",
    [
        LIST,
        "\ufeffemail\r\nann@example.org\r\nbob@example.org\r\n",
        "E-mail;Pseudonym\n ann@example.org ; P-1\n\nbob@example.org;P-2",
        "pseudonym\temail\nP-1\tann@example.org\nP-2\tbob@example.org",
        '"ann@example.org","P 1"\n"bob@example.org","P 2"\n',
    ],
)
def test_a_list_is_lines_or_columns_in_any_usual_form(text: str) -> None:
    found = read_list(text)
    assert found.errors == ()
    assert [person.email for person in found.people] == ["ann@example.org", "bob@example.org"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "The list is empty"),
        ("email\n", "The list is empty"),
        ("ann@example.org\nnobody\n", "Row 2: “nobody” is not an e-mail address"),
        ("a@example.org\n\nb@x\n", "Row 3"),
        ("ann@example.org,one,two", "Row 1: has more than two values"),
        ("email,pseudonym\nann@example.org,P-1\nbob@example.org,p-1", "Row 3: the pseudonym “p-1” is already in row 2"),
        ("ann@example.org,=1+1", "Row 1: a pseudonym has at most"),
        ("ann@example.org,rater-abcd", "given by the workbench itself"),
        ("email,pseudonym\n,P-1", "Row 2: has no e-mail address"),
        ("ann@example.org\x00", "is not an e-mail address"),
        ("ann@example.org\n" + "x" * 200_000 + "\n", "Row 2"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_row(text: str, said: str) -> None:
    assert said in " ".join(read_list(text).errors)


def test_a_repeated_address_is_reported_and_taken_once() -> None:
    found = read_list(LIST + "ANN@example.org\n")
    assert [(person.row, person.email) for person in found.repeated] == [(3, "ANN@example.org")]
    assert len(found.people) == 2


def test_a_list_that_is_too_long_is_refused_whole() -> None:
    assert "Send it in parts" in read_list("\n".join(f"p{n}@example.org" for n in range(MOST_ROWS + 1))).errors[0]


@pytest.fixture
def one(db: None) -> Study:
    return study(of=corpus(1))


@pytest.fixture
def client(one: Study) -> Client:
    return client_of(user("rey", "researcher"))


def send(client: Client, one: Study, text: str, **fields: Any) -> Any:
    return client.post(reverse("study_invite_list", args=[one.pk]), {"text": text, **fields})


def test_one_bad_row_invites_nobody(client: Client, one: Study) -> None:
    page = send(client, one, LIST + "nobody\n")
    assert page.status_code == 422
    assert "Row 3" in page.content.decode()
    assert not Invitation.objects.exists()


def test_the_links_come_in_a_form_for_excel_too(client: Client, one: Study) -> None:
    answer = send(client, one, "ann@example.org,Team A-1", answer="csv-semicolon")
    head, row = answer.content.decode().splitlines()
    assert head.startswith("\ufeffemail;pseudonym;")
    assert row.startswith("ann@example.org;Team A-1;http")


def test_each_person_gets_a_link_and_the_pseudonym_of_the_list(client: Client, one: Study) -> None:
    answer = send(client, one, "ann@example.org,Team A-1\nbob@example.org,Team A-2", answer="csv")
    assert answer.headers["Content-Disposition"].endswith('-invitations.csv"')
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert [(row["email"], row["pseudonym"], row["sent"]) for row in rows] == [
        ("ann@example.org", "Team A-1", "no"),
        ("bob@example.org", "Team A-2", "no"),
    ]
    guest, new = Client(), "tall quiet lighthouse"
    guest.post(rows[0]["link"].replace("http://testserver", ""), {
        "username": "ann", "password1": new, "password2": new,
    })  # fmt: skip
    assert one.memberships.get().rater.profile.pseudonym == "Team A-1"


def test_a_list_sent_twice_invites_once_and_says_so(client: Client, one: Study) -> None:
    send(client, one, "ann@example.org,P-1")
    page = send(client, one, "ann@example.org,P-1\n").content.decode()
    assert "Nobody new to invite" in page
    assert "row 1 (ann@example.org)" in page
    assert Invitation.objects.count() == 1


def test_a_pseudonym_that_somebody_has_is_refused(client: Client, one: Study) -> None:
    profile_of(user("cem"), "P-1")
    page = send(client, one, "ann@example.org,P-1")
    assert page.status_code == 422
    assert "Row 1: the pseudonym “P-1” is taken" in page.content.decode()


def test_a_file_is_read_like_pasted_text_and_a_broken_one_is_refused(client: Client, one: Study) -> None:
    broken = SimpleUploadedFile("list.csv", "ann@example.org,José".encode("utf-16"))
    assert "not text in UTF-8" in send(client, one, "", file=broken).content.decode()
    both = SimpleUploadedFile("list.csv", LIST.encode())
    assert "not both" in send(client, one, LIST, file=both).content.decode()
    assert not Invitation.objects.exists()
    send(client, one, "", file=SimpleUploadedFile("list.csv", LIST.encode()))
    assert Invitation.objects.filter(study=one).count() == 2


def test_letters_are_sent_where_mail_is_configured_and_hold_no_inner_name(
    client: Client, one: Study, settings: Any
) -> None:
    settings.EMAIL_CONFIG = {"EMAIL_HOST": "mail.example.org"}
    page = send(client, one, LIST).content.decode()
    assert "All were sent" in page
    assert [message.to for message in mail.outbox] == [["ann@example.org"], ["bob@example.org"]]
    assert len({message.body for message in mail.outbox}) == 2
    assert not any(one.name in message.body or one.corpus.name in message.body for message in mail.outbox)


def test_a_mail_server_that_is_down_costs_no_link(client: Client, one: Study, settings: Any) -> None:
    settings.EMAIL_CONFIG = {"EMAIL_HOST": "127.0.0.1"}
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    page = send(client, one, "\n".join(f"p{n}@example.org" for n in range(6))).content.decode()
    assert "6 could not be sent" in page
    assert page.count("/invitation/") == 6


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_ends_a_row(end: str) -> None:
    found = read_list(end.join(["email;pseudonym", "a@b.example;red", "c@d.example;blue", ""]))
    assert not found.errors
    assert [(person.row, person.pseudonym) for person in found.people] == [(2, "red"), (3, "blue")]


@pytest.mark.parametrize("inside", ["\x0c", "\x85", "\u2028"])
def test_nothing_else_ends_a_row(inside: str) -> None:
    """The head is told from the whole first line: its semicolon decides, wherever it stands."""
    found = read_list(f"e{inside}mail;email\nx;a@b.example\n")
    assert [person.email for person in found.people] == ["a@b.example"]
