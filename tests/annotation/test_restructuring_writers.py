"""A rewrite by hand counts beside the versions of the model whose text was rewritten, not as a writer of its own."""

import pytest

from annotation.design import selection
from dialogues.models import Corpus, Dialogue
from dialogues.sources import Sources, writers
from generation.judgements.selection import Wanted, select
from tests.annotation import handed_in, setting

pytestmark = pytest.mark.django_db
WRITER = "secret-writer-9000"
VERSIONS = ("alpha", "gamma", "restructured")


@pytest.fixture
def corpus() -> Corpus:
    """Three backgrounds; the γ of two were restructured, by two people."""
    made = setting.corpus(3)
    reviewer = setting.user("rey", "researcher")
    for number, name in enumerate(("ann", "bob")):
        gamma = Dialogue.objects.get(key=f"d{number}-gamma")
        handed_in.approved(gamma, setting.user(name), reviewer)
    return made


def test_annotators_are_no_writers_to_choose_from(corpus: Corpus) -> None:
    assert writers(corpus) == [WRITER]


def test_a_judge_gets_the_backgrounds_that_were_restructured_whoever_did_it(corpus: Corpus) -> None:
    for wanted in (Wanted(corpus, VERSIONS), Wanted(corpus, VERSIONS, sources=Sources.of({"writer": [WRITER]}))):
        found = select(wanted)
        names = dict(Dialogue.objects.values_list("pk", "key"))
        assert [names[one.dialogue] for one in found.given] == [
            "d0", "d0-gamma", "d0-gamma.hand.1", "d1", "d1-gamma", "d1-gamma.hand.1",
        ]  # fmt: skip
        assert (found.backgrounds, found.incomplete) == (2, 1)


def test_a_study_of_one_models_text_takes_the_rewrites_of_it(corpus: Corpus) -> None:
    study = setting.draft(of=corpus, versions=VERSIONS, writer=WRITER)
    found = selection.select(study)
    assert (len(found.choices), found.incomplete) == (2, 1)
    assert all(set(choice.dialogues) == set(VERSIONS) for choice in found.choices)
