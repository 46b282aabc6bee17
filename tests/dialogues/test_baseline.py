"""The punctuation split of β as a version of its own."""

import pytest
from django.core.management import CommandError
from django.test import Client

from dialogues.audit import AuditVerb
from dialogues.baseline import split_all
from dialogues.models import AuditEvent, Corpus, Dialogue
from dialogues.views import corpus_actions
from tests.commands import said_by
from tests.dialogues.rows import add_dialogue

pytestmark = pytest.mark.django_db


@pytest.fixture
def corpus() -> Corpus:
    made = Corpus.objects.create(name="Harbour")
    text = [[1, "Hi! How was the boat?"], [2, "Wet. And yours?"]]
    alpha = add_dialogue(made, "a", text, traits_1=["I sail."])
    for version in ("beta", "gamma"):
        add_dialogue(made, version, text, version, origin=alpha, traits_1=["I sail."], is_demo=True)
    return made


def split(name: str) -> dict[str, object]:
    said: dict[str, object] = said_by("split_baseline", name, "--json")
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


def test_the_corpus_page_offers_it_while_a_beta_has_none(researcher: Client, corpus: Corpus) -> None:
    assert "Cuts 1 β dialogue after every sentence" in researcher.get(corpus.get_absolute_url()).text
    assert "1 punctuation split of β made, without a model." in press(researcher, corpus)
    assert corpus.dialogues.of_version("punctuation").count() == 1
    assert "Make the punctuation baseline" not in researcher.get(corpus.get_absolute_url()).text


def test_a_second_press_makes_nothing_and_leaves_no_second_record(researcher: Client, corpus: Corpus) -> None:
    press(researcher, corpus)
    assert "nothing was made" in press(researcher, corpus)
    assert corpus.dialogues.of_version("punctuation").count() == 1
    assert AuditEvent.objects.filter(verb=AuditVerb.BASELINE_SPLIT).count() == 1


def test_a_large_corpus_is_split_a_press_at_a_time(
    researcher: Client, corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    beta = corpus.dialogues.get(version="beta")
    for number in range(2):
        add_dialogue(corpus, f"b{number}", beta.transcript, "beta", origin=beta.origin)
    monkeypatch.setattr(corpus_actions, "AT_ONCE", 2)
    assert "2 punctuation splits of β made, without a model. 1 still to make: press again." in press(researcher, corpus)
    assert "1 punctuation split of β made" in press(researcher, corpus)
    assert corpus.dialogues.of_version("punctuation").count() == 3


def test_it_can_be_made_of_some_of_the_dialogues(corpus: Corpus) -> None:
    assert split_all(corpus, among=Dialogue.objects.filter(key="another")) == 0
    assert split_all(corpus, among=Dialogue.objects.filter(key="beta")) == 1
