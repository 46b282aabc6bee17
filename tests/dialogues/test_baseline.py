"""The punctuation split of β as a version of its own."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from dialogues.models import Corpus, Dialogue
from dialogues.transcript import Transcript

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
