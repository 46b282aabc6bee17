"""Restructurings as JSONL: everything that led to a text, and nobody's name."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from annotation.models.people import profile_of
from annotation.restructuring import review
from annotation.restructuring.exporting import restructuring_lines
from dialogues.audit import AuditVerb
from dialogues.editing import replay, transcript_of
from dialogues.models import AuditEvent, Corpus, Dialogue
from dialogues.transcript import Transcript
from tests.annotation import handed_in, setting

pytestmark = pytest.mark.django_db
BODIES = (
    handed_in.SPLIT,
    {"op": "reword", "at": 1, "text": "words „anew“ 🎉"},
    {"op": "insert", "at": 2, "speaker": 1, "text": "You there?"},
    {"op": "undo"},
    {"op": "redo"},
    {"op": "move", "at": 2, "to": 0},
    {"op": "rewind", "to": 2},
    handed_in.MERGE,
)


@pytest.fixture
def rey() -> User:
    return setting.user("rey-the-researcher", "researcher")


def test_replaying_the_exported_log_gives_the_exported_text(rey: User, gamma: Dialogue) -> None:
    handed_in.approved(gamma, setting.user("ann-the-annotator"), rey, *BODIES)
    (line,) = map(json.loads, restructuring_lines())
    assert [step["number"] for step in line["operations"]] == list(range(1, len(BODIES) + 1))
    history = replay(Transcript.of(line["messages_before"]), (step["operation"] for step in line["operations"]))
    assert transcript_of(history.draft).to_json() == line["messages_after"]
    assert line["messages_before"] == gamma.messages


def test_a_line_says_who_by_pseudonym_when_and_what_was_said(rey: User, gamma: Dialogue) -> None:
    ann = setting.user("ann-the-annotator")
    row = handed_in.submitted(gamma, ann)
    review.add_remark(restructuring=row, version=1, place=1, text="Why?", by=rey)
    review.approve(restructuring=row, version=1, by=rey)
    (text,) = restructuring_lines()
    line = json.loads(text)
    assert (line["corpus"], line["original"], line["origin"]) == ("Chats", "d0-gamma", "d0")
    assert (line["state"], line["result"], line["demo"]) == ("approved", "d0-gamma.hand.1", False)
    assert line["annotator"] == line["operations"][0]["by"] == profile_of(ann).pseudonym
    assert line["review"]["by"] == line["remarks"][0]["by"] == profile_of(rey).pseudonym
    assert (line["remarks"][0]["message"], line["remarks"][0]["text"]) == (2, "Why?")
    assert line["figures"]["before"]["messages"] == 4
    assert line["figures"]["after"]["messages"] == 5
    assert line["figures"]["kept"] == 1
    for name in ("ann-the-annotator", "rey-the-researcher"):
        assert name not in text


def test_the_command_writes_a_file_or_to_the_screen_and_finds_a_corpus(gamma: Dialogue, tmp_path: Path) -> None:
    handed_in.submitted(gamma, setting.user("ann"))
    setting.corpus(1, name="Other")
    path = tmp_path / "out.jsonl"
    said = StringIO()
    call_command("export_restructurings", corpus="Chats", out=path, stdout=said)
    assert "1 restructurings in" in said.getvalue()
    assert json.loads(path.read_text(encoding="utf-8"))["original"] == "d0-gamma"
    with pytest.raises(CommandError, match="--force"):
        call_command("export_restructurings", out=path)
    screen = StringIO()
    call_command("export_restructurings", stdout=screen)
    assert screen.getvalue() == path.read_text(encoding="utf-8")
    empty = StringIO()
    call_command("export_restructurings", corpus="Other", stdout=empty)
    assert empty.getvalue() == ""
    with pytest.raises(CommandError, match="Did you mean “Chats”"):
        call_command("export_restructurings", corpus="Chat")
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("export_restructurings", out=tmp_path / "no" / "such.jsonl")


def test_the_download_is_the_same_and_recorded(client: Client, rey: User, gamma: Dialogue) -> None:
    handed_in.submitted(gamma, setting.user("ann"))
    client.force_login(rey)
    answer = client.get(f"/restructurings/export.jsonl?corpus={gamma.corpus_id}")
    assert b"".join(answer.streaming_content).decode() == "".join(restructuring_lines())  # type: ignore[attr-defined]
    assert 'filename="chats-restructurings.jsonl"' in answer.headers["Content-Disposition"]
    assert AuditEvent.objects.get(verb=AuditVerb.RESTRUCTURINGS_EXPORTED).subject == f"corpus:{gamma.corpus_id}"
    assert client.get("/restructurings/export.jsonl?corpus=987654321").status_code == 404


def test_the_list_and_the_command_warn_of_personal_data(client: Client, rey: User, gamma: Dialogue) -> None:
    handed_in.submitted(gamma, setting.user("ann"))
    setting.corpus(1, name="Other")
    Corpus.objects.update(personal_data="yes", consent="In writing")
    client.force_login(rey)
    page = client.get("/restructurings/").content.decode()
    assert "Chats holds personal data" in page
    assert "Other holds personal data" not in page
    complaint = StringIO()
    call_command("export_restructurings", stdout=StringIO(), stderr=complaint)
    assert complaint.getvalue().count("personal data") == 1
