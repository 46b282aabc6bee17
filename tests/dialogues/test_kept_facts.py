"""What a corpus keeps beside its dialogues: shown on its page, exported with the times of messages, warned of."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client

from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent, Corpus
from dialogues.times import shown_times
from tests.dialogues.files import bring_in, line

pytestmark = pytest.mark.django_db

TIMES = ["2024-05-31T18:30:00", None, "2024-06-01T08:00:05+02:00"]
TIMED = line("a", times=TIMES)
HOSTILE = '<b>&"🎉'


@pytest.fixture
def private(tmp_path: Path) -> Corpus:
    options = {"personal_data": "yes", "consent": f"Both {HOSTILE}", "source": f"Our lab {HOSTILE}"}
    return bring_in(tmp_path, TIMED, name="Chats", **options).corpus


def test_the_day_is_said_where_it_changes_and_the_hour_at_every_known_time() -> None:
    shown = shown_times(TIMES)
    assert [(one.day, one.clock) if one else None for one in shown] == [
        ("31 May 2024", "18:30"), None, ("1 June 2024", "08:00")
    ]  # fmt: skip
    assert shown[2].whole == "1 June 2024, 08:00:05 UTC+0200"
    assert [one.day for one in shown_times(["2024-05-31T18:30:00", "2024-05-31T18:31:00"])] == ["31 May 2024", ""]


def test_a_dialogue_shows_its_times_and_nothing_where_none_is_known(researcher: Client, private: Corpus) -> None:
    page = researcher.get(private.dialogues.get().get_absolute_url())
    assert page.text.count('class="bubble-time"') == 2
    assert '<time datetime="2024-05-31T18:30:00">31 May 2024</time>' in page.text


def test_a_dialogue_without_times_shows_none(researcher: Client, tmp_path: Path) -> None:
    page = researcher.get(bring_in(tmp_path, line("a")).corpus.dialogues.get().get_absolute_url())
    assert "<time" not in page.text.partition('<ol class="bubbles')[2].partition("</ol>")[0]


def test_a_corpus_says_where_it_came_from_and_what_was_set_aside(researcher: Client, private: Corpus) -> None:
    private.reading, private.roles = {"media_set_aside": 1234}, {"1": HOSTILE, "2": "Bot"}
    private.save(update_fields=["reading", "roles"])
    page = researcher.get(private.get_absolute_url()).text
    for words in ("Media set aside", "1,234", "Our lab &lt;b&gt;", "A is <bdi>&lt;b&gt;", "Stephanie JSONL"):
        assert words in page
    assert "<b>" not in page


def test_a_corpus_of_personal_data_warns_at_its_top(researcher: Client, private: Corpus) -> None:
    page = researcher.get(private.get_absolute_url()).text
    assert "Chats holds personal data. Share it only as far as this consent goes: Both &lt;b&gt;" in page


def test_a_corpus_that_says_nothing_warns_of_nothing(researcher: Client, tmp_path: Path) -> None:
    assert "personal data. " not in researcher.get(bring_in(tmp_path, line("a")).corpus.get_absolute_url()).text


def test_the_download_is_what_the_command_writes_and_leaves_a_trace(researcher: Client, private: Corpus) -> None:
    out = StringIO()
    call_command("export_dialogues", "Chats", stdout=out, stderr=StringIO())
    answer = researcher.get(f"/corpora/{private.pk}/dialogues.jsonl")
    assert b"".join(answer.streaming_content).decode() == out.getvalue()
    assert answer.headers["Content-Disposition"] == 'attachment; filename="chats.jsonl"'
    assert AuditEvent.objects.filter(verb=AuditVerb.CORPUS_EXPORTED).count() == 1
    assert f'href="/corpora/{private.pk}/dialogues.jsonl"' in researcher.get(private.get_absolute_url()).text
