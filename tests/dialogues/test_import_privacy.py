"""Personal data on the import page: found, shown, masked if somebody wants it, and said of the corpus."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from dialogues.models import ColumnMap, Corpus
from tests.dialogues.files import line, write
from tests.dialogues.import_pages import WHATSAPP, upload

pytestmark = pytest.mark.django_db
WITH_EMAIL = line("a", messages=[[1, "write to ann@example.org"], [2, "ok"]], traits_1=["I am at ann@example.org."])


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, settings: Settings) -> None:
    settings.DATA_DIR = tmp_path


def test_what_was_found_is_shown_with_what_it_would_become(researcher: Client) -> None:
    page = researcher.get(upload(researcher, WITH_EMAIL).url)
    assert "E-mail addresses (2)" in page.text
    assert "<bdi>ann@example.org</bdi> → [e-mail]" in page.text


def test_nothing_is_masked_in_a_data_set_unless_it_is_ticked(researcher: Client) -> None:
    where = upload(researcher, WITH_EMAIL).url
    assert "write to ann@example.org" in researcher.get(where).text
    researcher.post(where, {"name": "Chats"})
    corpus = Corpus.objects.get()
    assert corpus.dialogues.get().messages[0] == [1, "write to ann@example.org"]
    assert (corpus.personal_data, corpus.privacy_notice) == ("", "")


def test_what_is_ticked_is_masked_in_the_preview_and_in_the_corpus(researcher: Client) -> None:
    where = upload(researcher, WITH_EMAIL).url
    researcher.post(where, {"mask": "e-mail", "show": "1"})
    page = researcher.get(where)
    assert page.context["first"][0].turns()[0]["messages"] == ["write to [e-mail]"]
    researcher.post(where, {"name": "Chats", "mask": "e-mail"})
    corpus = Corpus.objects.get()
    dialogue = corpus.dialogues.get()
    assert dialogue.messages[0] == [1, "write to [e-mail]"]
    assert dialogue.traits_1 == ["I am at [e-mail]."]
    assert corpus.reading["e-mail_masked"] == 2


def test_what_is_ticked_when_importing_counts_whatever_was_shown(researcher: Client) -> None:
    where = upload(researcher, WITH_EMAIL).url
    researcher.post(where, {"mask": "e-mail", "show": "1"})
    researcher.post(where, {"name": "Chats"})
    assert Corpus.objects.get().dialogues.get().messages[0] == [1, "write to ann@example.org"]


def test_private_chats_are_masked_and_named_personal_unless_somebody_decides_otherwise(researcher: Client) -> None:
    where = upload(researcher, WHATSAPP).url
    page = researcher.get(where)
    form = page.context["form"]
    assert form["personal_data"].value() == "yes"
    assert {"e-mail", "name"} <= set(form.mask_now)
    assert "Did everybody who speaks here agree?" in page.text
    assert page.context["first"][0].turns()[0]["messages"][0] == "hi [B]"
    chosen = {"name": "Chats", "mask": list(form.mask_now), "personal_data": "yes", "consent": "Both, in writing"}
    researcher.post(where, chosen)
    corpus = Corpus.objects.get()
    assert (corpus.personal_data, corpus.consent, corpus.roles) == ("yes", "Both, in writing", {})
    assert "Both, in writing" in corpus.privacy_notice
    said = json.dumps(corpus.dialogues.get().messages)
    assert "Tom" not in said
    assert "example.org" not in said


def test_private_chats_cannot_be_called_free_of_personal_data_that_is_not_masked(researcher: Client) -> None:
    where = upload(researcher, WHATSAPP).url
    page = researcher.post(where, {"name": "Chats", "personal_data": "no", "mask": ["name"]})
    assert page.context["form"].errors == {"personal_data": ["It holds e-mail addresses. Mask these, or say yes."]}
    researcher.post(where, {"name": "Chats", "personal_data": "no", "mask": ["name", "e-mail"]})
    assert Corpus.objects.get().personal_data == "no"


def test_names_are_kept_only_if_somebody_says_so(researcher: Client) -> None:
    where = upload(researcher, WHATSAPP).url
    researcher.post(where, {"name": "Chats", "keep_names": "on"})
    assert Corpus.objects.get().roles == {"1": "Mary Okafor", "2": "Tom"}


def test_the_command_masks_the_kinds_it_is_given(tmp_path: Path) -> None:
    out = StringIO()
    path = str(write(tmp_path, WITH_EMAIL, "a.jsonl"))
    call_command(
        "import_dialogues", path, "--corpus=Chats", "--mask=e-mail,phone", "--json", stdout=out, stderr=StringIO()
    )
    assert json.loads(out.getvalue())["lines"] == {"e-mail_masked": 2}
    assert Corpus.objects.get().dialogues.get().messages[0] == [1, "write to [e-mail]"]


def test_the_command_refuses_a_kind_that_it_does_not_know(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"“shoe” cannot be masked\. Choose of e-mail, phone, link, handle, name\."):
        call_command("import_dialogues", str(write(tmp_path, WITH_EMAIL)), "--corpus=Chats", "--mask=shoe")


def test_the_command_reads_by_a_saved_choice_of_columns(tmp_path: Path) -> None:
    path = str(write(tmp_path, "ref,nick,said\nc1,Ann,Hi\nc1,Bob,Hello\n", "a.csv"))
    with pytest.raises(CommandError, match="There is no saved choice of columns “Lab”"):
        call_command("import_dialogues", path, "--corpus=Chats", "--mapping=Lab", stderr=StringIO())
    ColumnMap.objects.create(name="Lab", columns={"dialogue_id": "ref", "speaker": "nick", "text": "said"})
    call_command("import_dialogues", path, "--corpus=Chats", "--mapping=Lab", stdout=StringIO(), stderr=StringIO())
    assert Corpus.objects.get().dialogues.get().messages == [[1, "Hi"], [2, "Hello"]]


def test_a_dialogue_that_its_masks_make_too_long_is_bad(tmp_path: Path) -> None:
    long = line("a", messages=[[1, "@ab " * 24_000]])
    with pytest.raises(CommandError):
        call_command(
            "import_dialogues", str(write(tmp_path, long)), "--corpus=Chats", "--mask=handle", stderr=StringIO()
        )
    assert not Corpus.objects.exists()


def test_the_page_of_a_corpus_says_what_was_masked_in_words(researcher: Client) -> None:
    content = line("a", messages=[[1, "see https://example.org"]])
    corpus = researcher.post(upload(researcher, content).url, {"name": "Chats", "mask": ["link"]}).url
    html = researcher.get(corpus).content.decode()
    assert "Links masked" in html
    assert "Link masked" not in html
