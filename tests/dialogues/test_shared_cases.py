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
from dialogues.models import Dialogue
from tests.people import make_user

pytestmark = pytest.mark.django_db
READ = {
    "convokit.jsonl",
    "csv-interleaved.csv",
    "parlai-fields.txt",
    "whatsapp-iphone.txt",
    "parlai-escaped-newlines.txt",
    "parlai-persona-words-in-an-exchange.txt",
    "parlai-other-persona-prefixes.txt",
    "parlai-bare-cr.txt",
    "spc-next-line.csv",
    "spc-spaced-asterisks.csv",
    "csv-labels-keep-their-side.csv",
    "csv-other-columns.csv",
    "openai-messages.jsonl",
    "sharegpt.json",
    "convai2-volunteers.json",
    "one-json-object-pretty.json",
}
# What the cases say in words or by side.
ALSO = {
    "convai2-volunteers.json": {"traits_1": 2, "traits_2": 1},
    "one-json-object-pretty.json": {"dialogues": 1, "messages": 2},
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


def wanted_of(name: str, expect: dict[str, Any]) -> dict[str, int]:
    keys = ("dialogues", "messages", "traits_1", "traits_2")
    return {key: expect[key] for key in keys if key in expect} | ALSO.get(name, {})


def test_every_case_is_read(expected: dict[str, Any]) -> None:
    assert set(expected) == READ


@pytest.mark.parametrize("name", sorted(READ))
def test_a_form_that_is_read_gives_its_dialogues(name: str, shared_cases: Path, expected: dict[str, Any]) -> None:
    expect = expected[name]["expect"]
    columns = columns_of(expect)
    said, complaint = by_command(shared_cases / "imports" / name, *([f"--columns={columns}"] if columns else []))
    assert not complaint
    wanted = wanted_of(name, expect)
    assert {key: said[key] for key in wanted} == wanted
    assert Dialogue.objects.count() == wanted["dialogues"]
    if "Human_is_always" in expect:
        firsts = [row.messages[0] for row in Dialogue.objects.order_by("key")]
        assert firsts == [[1, "hi"], [2, "hello"]]
    if "acmc" in expect:
        assert said["messages"] / said["turns"] == expect["acmc"]


@pytest.mark.parametrize("name", sorted(READ))
def test_the_page_shows_the_same(name: str, client: Client, shared_cases: Path, expected: dict[str, Any]) -> None:
    expect = expected[name]["expect"]
    page = by_page(client, shared_cases / "imports" / name, columns=columns_of(expect))
    counts = page.context["report"].counts()
    wanted = wanted_of(name, expect)
    assert {key: counts[key] for key in wanted} == wanted
    assert counts["refused"] == 0


def test_other_columns_without_the_option_are_refused_with_it(shared_cases: Path) -> None:
    _, complaint = by_command(shared_cases / "imports" / "csv-other-columns.csv")
    assert "dialogue_id, speaker, text" in complaint
    assert "conv_id, utterance_idx, speaker_idx, utterance" in complaint
    assert "--columns dialogue_id=" in complaint
