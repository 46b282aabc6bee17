"""The punctuation split of β as a version of its own."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from annotation.roles import Role
from dialogues.audit import AuditVerb
from dialogues.baseline import split_all
from dialogues.models import AuditEvent, Corpus, Dialogue
from dialogues.transcript import Transcript
from dialogues.views import corpus_actions
from tests.people import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def corpus() -> Corpus:
    made = Corpus.objects.create(name="Harbour")
    text = Transcript.of([[1, "Hi! How was the boat?"], [2, "Wet. And yours?"]])
    alpha = Dialogue.from_transcript(text, corpus=made, key="a", version_id="alpha", traits_1=["I sail."])
    alpha.save()
    for version in ("beta", "gamma"):
        Dialogue.from_transcript(
            text, corpus=made, key=version, version_id=version, origin=alpha, traits_1=["I sail."], is_demo=True
        ).save()
    return made


def split(name: str) -> dict[str, object]:
    out = StringIO()
    call_command("split_baseline", name, "--json", stdout=out)
    said: dict[str, object] = json.loads(out.getvalue())
    return said


def test_every_beta_gets_one_baseline_that_belongs_to_its_background(corpus: Corpus) -> None:
    assert split("Harbour") == {"corpus": "Harbour", "made": 1}
    baseline = corpus.dialogues.get(version="punctuation")
    assert [text for _, text in baseline.messages] == ["Hi!", "How was the boat?", "Wet.", "And yours?"]
    assert (baseline.parent.key, baseline.origin.key) == ("beta", "a")
    assert (baseline.message_count, baseline.turn_count, baseline.turns_of_2) == (4, 2, 2)
    assert baseline.traits_1 == ["I sail."]
    assert baseline.is_demo


def test_a_second_time_makes_nothing(corpus: Corpus) -> None:
    split("Harbour")
    assert split("Harbour")["made"] == 0
    assert corpus.dialogues.of_version("punctuation").count() == 1


def test_a_corpus_without_beta_makes_nothing(corpus: Corpus) -> None:
    corpus.dialogues.of_version("beta").delete()
    assert split("Harbour")["made"] == 0


def test_an_unknown_corpus_is_named(corpus: Corpus) -> None:
    with pytest.raises(CommandError, match="Harbour"):
        split("Harbor")


def press(client: Client, corpus: Corpus) -> str:
    text: str = client.post(f"/corpora/{corpus.pk}/baseline/", follow=True).text
    return text


def test_the_corpus_page_offers_it_while_a_beta_has_none(client: Client, corpus: Corpus) -> None:
    client.force_login(make_user(Role.RESEARCHER))
    assert "Cuts 1 β dialogue after every sentence" in client.get(corpus.get_absolute_url()).text
    assert "1 punctuation split of β made, without a model." in press(client, corpus)
    assert corpus.dialogues.of_version("punctuation").count() == 1
    assert "Make the punctuation baseline" not in client.get(corpus.get_absolute_url()).text


def test_a_second_press_makes_nothing_and_leaves_no_second_record(client: Client, corpus: Corpus) -> None:
    client.force_login(make_user(Role.RESEARCHER))
    press(client, corpus)
    assert "nothing was made" in press(client, corpus)
    assert corpus.dialogues.of_version("punctuation").count() == 1
    assert AuditEvent.objects.filter(verb=AuditVerb.BASELINE_SPLIT).count() == 1


def test_a_large_corpus_is_split_a_press_at_a_time(
    client: Client, corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    beta = corpus.dialogues.get(version="beta")
    for number in range(2):
        Dialogue.from_transcript(
            beta.transcript, corpus=corpus, key=f"b{number}", version_id="beta", origin_id=beta.origin_id
        ).save()
    monkeypatch.setattr(corpus_actions, "AT_ONCE", 2)
    client.force_login(make_user(Role.RESEARCHER))
    assert "2 punctuation splits of β made, without a model. 1 still to make: press again." in press(client, corpus)
    assert "1 punctuation split of β made" in press(client, corpus)
    assert corpus.dialogues.of_version("punctuation").count() == 3


def test_it_can_be_made_of_some_of_the_dialogues(corpus: Corpus) -> None:
    assert split_all(corpus, among=Dialogue.objects.filter(key="another")) == 0
    assert split_all(corpus, among=Dialogue.objects.filter(key="beta")) == 1
