"""The collected import files, each through the command and through the page, against the values beside them."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from annotation.roles import Role
from dialogues.models import Corpus, Dialogue
from tests.people import make_user

pytestmark = pytest.mark.django_db
# Forms that are not read: what the refusal calls them, and keys of theirs that it names.
NOT_READ = {
    "openai-messages.jsonl": ("OpenAI chat messages", "messages (role, content)"),
    "sharegpt.json": ("ShareGPT conversations", "conversations (from, value)"),
    "convai2-volunteers.json": ("ConvAI2 dialogues", "bot_profile"),
    "convokit.jsonl": ("ConvoKit utterances", "conversation_id"),
    "parlai-fields.txt": ("ParlAI", "text_candidates"),
    "whatsapp-iphone.txt": ("WhatsApp", "a name and a text"),
    "one-json-object-pretty.json": ("one JSON object over many lines", "the keys t1"),
    "csv-interleaved.csv": ("Rows of the dialogue “d1” stand apart", "row 4"),
}
READ = {
    "parlai-escaped-newlines.txt",
    "parlai-persona-words-in-an-exchange.txt",
    "parlai-other-persona-prefixes.txt",
    "parlai-bare-cr.txt",
    "spc-next-line.csv",
    "spc-spaced-asterisks.csv",
    "csv-labels-keep-their-side.csv",
    "csv-other-columns.csv",
}


def by_command(path: Path, *options: str) -> tuple[dict[str, Any], str]:
    out, complaint = io.StringIO(), ""
    try:
        call_command(
            "import_dialogues", str(path), "--corpus=case", "--json", *options, stdout=out, stderr=io.StringIO()
        )
    except CommandError as error:
        complaint = str(error)
    return json.loads(out.getvalue()), complaint


def by_page(client: Client, path: Path, **fields: str) -> Any:
    client.force_login(make_user(Role.RESEARCHER))
    file = SimpleUploadedFile(path.name, path.read_bytes())
    return client.post("/corpora/import/", {"file": file, "file_format": "auto", **fields}, follow=True)


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, settings: Settings) -> None:
    settings.DATA_DIR = tmp_path


@pytest.fixture
def expected(shared_cases: Path) -> dict[str, Any]:
    return json.loads((shared_cases / "imports" / "expected.json").read_text())


def columns_of(expect: dict[str, Any]) -> str:
    return expect.get("with", "").removeprefix("--columns ")


def test_every_form_named_here_is_collected(expected: dict[str, Any]) -> None:
    assert set(NOT_READ) | READ <= set(expected)


@pytest.mark.parametrize("name", sorted(READ))
def test_a_form_that_is_read_gives_its_dialogues(name: str, shared_cases: Path, expected: dict[str, Any]) -> None:
    expect = expected[name]["expect"]
    columns = columns_of(expect)
    said, complaint = by_command(shared_cases / "imports" / name, *([f"--columns={columns}"] if columns else []))
    assert not complaint
    wanted = {key: expect[key] for key in ("dialogues", "messages", "traits_1", "traits_2") if key in expect}
    assert {key: said[key] for key in wanted} == wanted
    assert Dialogue.objects.count() == expect["dialogues"]
    if "Human_is_always" in expect:
        firsts = [row.messages[0] for row in Dialogue.objects.order_by("key")]
        assert firsts == [[1, "hi"], [2, "hello"]]


@pytest.mark.parametrize("name", sorted(READ))
def test_the_page_shows_the_same(name: str, client: Client, shared_cases: Path, expected: dict[str, Any]) -> None:
    expect = expected[name]["expect"]
    page = by_page(client, shared_cases / "imports" / name, columns=columns_of(expect))
    counts = page.context["report"].counts()
    wanted = {key: expect[key] for key in ("dialogues", "messages", "traits_1", "traits_2") if key in expect}
    assert {key: counts[key] for key in wanted} == wanted
    assert counts["refused"] == 0


@pytest.mark.parametrize("options", [(), ("--skip-bad",)])
@pytest.mark.parametrize("name", sorted(NOT_READ))
def test_a_form_that_is_not_read_is_refused_whole_and_by_name(
    name: str, options: tuple[str, ...], shared_cases: Path
) -> None:
    said, complaint = by_command(shared_cases / "imports" / name, *options)
    assert all(words in complaint for words in NOT_READ[name])
    assert (said["dialogues"], said["messages"], said["bad"]) == (0, 0, [])
    assert not Corpus.objects.exists()


@pytest.mark.parametrize("name", sorted(NOT_READ))
def test_the_page_refuses_it_in_the_same_words(name: str, client: Client, shared_cases: Path) -> None:
    page = by_page(client, shared_cases / "imports" / name)
    (problem,) = page.context["form"].errors["file"]
    assert all(words in problem for words in NOT_READ[name])
    assert not Corpus.objects.exists()


def test_other_columns_without_the_option_are_refused_with_it(shared_cases: Path) -> None:
    _, complaint = by_command(shared_cases / "imports" / "csv-other-columns.csv")
    assert "dialogue_id, speaker, text" in complaint
    assert "conv_id, utterance_idx, speaker_idx, utterance" in complaint
    assert "--columns dialogue_id=" in complaint
