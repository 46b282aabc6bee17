"""Import in the browser: upload, look, confirm."""

import hashlib
import os
import time
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from annotation.roles import Role
from dialogues import importing, uploads
from dialogues.importing import Source
from dialogues.models import AuditEvent, Corpus
from tests.dialogues.files import PARLAI, bring_in, line
from tests.dialogues.import_pages import IMPORT, upload
from tests.people import client_of, make_user

pytestmark = pytest.mark.django_db
COLUMNS = "dialogue_id=conv, speaker=who, text=said"


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, settings: Settings) -> None:
    settings.DATA_DIR = tmp_path


def kept() -> list[Path]:
    return list(uploads.folder().glob("*.upload"))


def test_an_upload_shows_what_was_read_and_keeps_nothing_yet(researcher: Client) -> None:
    page = researcher.get(upload(researcher, PARLAI).url)
    assert page.context["report"].messages == 4
    assert page.context["form"]["name"].value() == "my chats"
    assert "hi , how are you ?" in page.text
    assert not Corpus.objects.exists()


def test_confirming_makes_the_corpus_and_removes_the_upload(researcher: Client) -> None:
    where = upload(researcher, PARLAI).url
    answer = researcher.post(where, {"name": "Chats", "licence": "CC0", "description": ""})
    corpus = Corpus.objects.get()
    assert answer.url == f"/corpora/{corpus.pk}/"
    assert (corpus.name, corpus.licence, corpus.created_by.username) == ("Chats", "CC0", "the-researcher")
    assert AuditEvent.objects.get().actor == corpus.created_by
    assert kept() == []


def test_a_second_click_finds_the_corpus_of_the_first(researcher: Client) -> None:
    where = upload(researcher, PARLAI).url
    answers = [researcher.post(where, {"name": "Chats"}) for _ in range(3)]
    assert {answer.url for answer in answers} == {f"/corpora/{Corpus.objects.get().pk}/"}


def test_bad_records_are_listed_and_left_out_only_on_request(researcher: Client) -> None:
    where = upload(researcher, line("a") + "{\n").url
    assert "not JSON" in researcher.get(where).text
    refused = researcher.post(where, {"name": "Chats"})
    assert refused.context["form"].errors.keys() == {"skip_bad"}
    assert not Corpus.objects.exists()
    answer = researcher.post(where, {"name": "Chats", "skip_bad": "on"}, follow=True)
    assert "1 bad record was left out" in answer.text
    assert Corpus.objects.get().dialogues.count() == 1


def test_a_file_with_nothing_good_offers_no_import(researcher: Client) -> None:
    page = researcher.get(upload(researcher, "{\n").url)
    assert "No dialogue can be imported" in page.text
    assert 'name="name"' not in page.text


def test_a_known_file_is_refused_with_a_link(researcher: Client, tmp_path: Path) -> None:
    corpus = bring_in(tmp_path, PARLAI).corpus
    page = upload(researcher, PARLAI)
    assert f'href="/corpora/{corpus.pk}/"' in page.text
    assert kept() == []


def test_an_unreadable_file_says_what_it_is(researcher: Client) -> None:
    page = upload(researcher, "PK\x03\x04")
    assert "zip archive" in page.text
    assert kept() == []


def test_a_name_that_is_taken_keeps_the_form(researcher: Client, tmp_path: Path) -> None:
    bring_in(tmp_path, PARLAI * 2, name="Chats")
    page = researcher.post(upload(researcher, PARLAI).url, {"name": "Chats"})
    assert page.context["form"].errors.keys() == {"name"}
    assert len(kept()) == 1


def test_a_file_over_the_limit_points_to_the_command(researcher: Client, settings: Settings) -> None:
    settings.MAX_UPLOAD_MB = 0
    assert "manage.py corpus import" in upload(researcher, PARLAI).text


def test_another_persons_upload_does_not_exist(researcher: Client) -> None:
    where = upload(researcher, PARLAI).url
    other = client_of(make_user(Role.RESEARCHER, "other"))
    assert other.get(where).status_code == 404
    assert other.post(where, {"name": "Mine"}).status_code == 404


@pytest.mark.parametrize("token", ["..", "%2e%2e%2fsettings", "x", "a" * 32])
def test_a_made_up_token_does_not_exist(researcher: Client, token: str) -> None:
    assert researcher.get(f"{IMPORT}{token}/").status_code == 404


def test_an_upload_left_for_a_day_is_removed_and_said_so(researcher: Client) -> None:
    where = upload(researcher, PARLAI).url
    (path,) = kept()
    yesterday = time.time() - 25 * 3600
    os.utime(path, (yesterday, yesterday))
    uploads.clean()
    page = researcher.get(where, follow=True)
    assert "Choose the file again" in page.text
    assert kept() == []


def test_a_session_keeps_only_its_last_uploads(researcher: Client) -> None:
    for number in range(12):
        upload(researcher, line(number))
    assert len(kept()) == 10


def test_repeated_dialogues_are_left_out_when_asked(researcher: Client) -> None:
    one = "1 hello there\thi , how are you ?\n2 i'm fine .\twhat do you do ?\n3 i swim .\tnice !\n"
    where = upload(researcher, one * 2, deduplicate="on").url
    assert researcher.get(where).context["report"].duplicates == 1
    researcher.post(where, {"name": "Chats"})
    assert Corpus.objects.get().dialogues.count() == 1


def test_a_rater_cannot_import(rater: Client) -> None:
    assert rater.get(IMPORT).status_code == 403
    assert rater.post(IMPORT).status_code == 403


def test_a_click_whose_file_another_click_imported_meanwhile_finds_that_corpus(
    researcher: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = upload(researcher, PARLAI).url
    bring_in_file = importing.import_file

    def import_after_another_did(source: Source, *, name: str, **options: Any) -> Any:
        bring_in_file(source, name="First", by=None)
        source.path.unlink()
        return bring_in_file(source, name=name, **options)

    monkeypatch.setattr(importing, "import_file", import_after_another_did)
    answer = researcher.post(where, {"name": "Second"})
    assert answer.url == f"/corpora/{Corpus.objects.get(name='First').pk}/"


def test_looking_again_does_not_read_the_file_again(researcher: Client) -> None:
    where = upload(researcher, PARLAI).url
    first = researcher.get(where).context
    (path,) = kept()
    path.write_bytes(b"something else")
    again = researcher.get(where).context
    assert (again["report"], again["first"]) == (first["report"], first["first"])
    assert again["report"].messages == 4


def test_an_import_reads_the_file_once_to_show_it_and_once_to_keep_it(
    researcher: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    to_open = Path.open

    def open_and_count(path: Path, *args: Any, **kwargs: Any) -> Any:
        if path.suffix == ".upload":
            opened.append(path.name)
        return to_open(path, *args, **kwargs)

    monkeypatch.setattr(Path, "open", open_and_count)
    where = upload(researcher, PARLAI).url
    assert len(opened) == 1
    researcher.get(where)
    researcher.get(where)
    assert len(opened) == 1
    researcher.post(where, {"name": "Chats"})
    assert len(opened) == 2
    assert Corpus.objects.get().sha256 == hashlib.sha256(PARLAI.encode()).hexdigest()


def test_the_preview_of_the_largest_dialogues_is_a_small_page(researcher: Client) -> None:
    """Quotation marks are the longest that a letter becomes in HTML."""
    largest = [[1, '"' * 99_000]] * 10 + [[2, '"' * 600]] * 30 + [[2, '"' * 150]] * 4_960
    traits = ['"' * 50] * 500
    good = "".join(line('"' * 190 + key, messages=largest, traits_1=traits, traits_2=traits) for key in "abcd")
    bad = "".join(f'{{"id": "{number}{"&" * 190}", "messages": [[3, "x"]]}}\n' for number in range(300))
    page = researcher.get(upload(researcher, good + bad).url)
    assert page.context["report"].messages == 20_000
    assert "And 4,960 more messages." in page.text
    assert "and 490 more" in page.text
    assert len(page.content) < 2**20


def test_an_endless_dialogue_and_message_are_bad_records_that_name_the_limit(researcher: Client) -> None:
    content = line("a", messages=[[1, "x"]] * 300_000) + line("b", messages=[[1, "x" * 4_000_000]])
    page = researcher.get(upload(researcher, content).url)
    assert "more than 5,000 messages" in page.text
    assert "message 1 has 4,000,000 characters; a message has at most 100,000" in page.text
    assert len(page.content) < 50_000


def test_columns_named_at_the_upload_are_kept_until_the_import(researcher: Client) -> None:
    where = upload(researcher, "conv,who,said\nc1,A,Hi\nc1,B,Hello\n", columns=COLUMNS).url
    page = researcher.get(where)
    assert page.context["report"].messages == 2
    assert "is a guess" not in page.text
    researcher.post(where, {"name": "Chats"})
    assert Corpus.objects.get().dialogues.get().messages == [[1, "Hi"], [2, "Hello"]]


def test_columns_that_cannot_be_meant_are_a_reason_beside_the_field(researcher: Client) -> None:
    page = upload(researcher, PARLAI, columns="text")
    assert page.context["form"].errors.keys() == {"columns"}
    assert kept() == []


def test_an_import_leaves_nothing_of_the_upload_behind(researcher: Client) -> None:
    where = upload(researcher, PARLAI).url
    researcher.post(where, {"name": "Chats"})
    assert list(uploads.folder().iterdir()) == []


def test_who_speaks_first_being_speaker_1_is_said(researcher: Client) -> None:
    content = "dialogue_id,speaker,text\na,Ann,x\na,Bob,y\nb,Bob,z\nb,Cem,x\nc,Cem,y\nc,Ann,z\n"
    assert "Sides by who speaks first" in researcher.get(upload(researcher, content).url).text


def being_filled(username: str, file_name: str = "my chats.txt") -> Corpus:
    """What another request has stored so far."""
    by = User.objects.get(username=username)
    return Corpus.objects.create(
        name="Chats", file_name=file_name, is_scratch=True, filled_at=timezone.now(), created_by=by
    )


def test_a_second_click_while_the_first_imports_leads_to_a_page_that_waits(researcher: Client) -> None:
    where = upload(researcher, PARLAI).url
    first = being_filled("the-researcher")
    answer = researcher.post(where, {"name": "Chats"})
    assert answer.url == f"{where}?importing=Chats"
    page = researcher.get(answer.url)
    assert "Your earlier click on “Import” is at work" in page.text
    assert 'name="description"' not in page.text
    again = researcher.get(answer.url, headers={"HX-Request": "true"})
    assert "hx-trigger" in again.text
    assert "<html" not in again.text
    first.sha256, first.filled_at, first.is_scratch = hashlib.sha256(PARLAI.encode()).hexdigest(), None, False
    first.save()
    assert researcher.get(answer.url, headers={"HX-Request": "true"})["HX-Redirect"] == first.get_absolute_url()


def test_a_page_that_waits_leads_back_to_the_preview_where_the_first_click_failed(researcher: Client) -> None:
    where = upload(researcher, PARLAI).url
    being_filled("the-researcher").delete()
    assert researcher.get(f"{where}?importing=Chats").url == where
    assert researcher.get(f"{where}?importing=%00").status_code == 200


def test_a_name_that_somebody_else_is_importing_is_taken(researcher: Client) -> None:
    make_user(Role.RESEARCHER, "another")
    where = upload(researcher, PARLAI).url
    being_filled("another")
    page = researcher.post(where, {"name": "Chats"})
    assert "A corpus of this name exists or is being imported. Choose another name." in page.text
    assert researcher.get(f"{where}?importing=Chats").url == where
