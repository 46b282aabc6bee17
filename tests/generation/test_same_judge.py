"""A judge is its model, its address, its parameters and its question: only what that one said counts as said before."""

from typing import Any

import pytest

from dialogues.models import Corpus, Dialogue, Rubric
from generation import example_sets
from generation.engine import lifecycle
from generation.judgements.judge_plan import JudgeChoice, create_judge_run
from generation.judgements.loading import findings_of
from generation.judgements.selection import Wanted
from generation.judgements.tables import judge_tables
from generation.models import Endpoint, Run, RunDialogue
from generation.reuse import judgements_there
from tests.generation.judged import family, judge, theme_of
from tests.generation.runs import NOWHERE, endpoint_at, fetched

pytestmark = pytest.mark.django_db


@pytest.fixture
def corpus() -> Corpus:
    corpus = Corpus.objects.create(name="Chats")
    family(corpus, 0, {"gpt-4": ["beta"]})
    return corpus


@pytest.fixture
def endpoint() -> Endpoint:
    return endpoint_at(NOWHERE, name="Judge", model="wise-model")


def planned(corpus: Corpus, endpoint: Endpoint, **choice: Any) -> Run:
    fields = {"name": "Judging", "rubric": Rubric.objects.get(slug="paper-six"), **choice}
    run = create_judge_run(JudgeChoice(wanted=Wanted(corpus, versions=("beta",)), judges=[endpoint], **fields))
    return fetched(run)


def judged(run: Run, score: float) -> Run:
    """The run started, with one judgement of its one dialogue."""
    lifecycle.start(run)
    run.calls.all().delete()
    judge(run, Dialogue.objects.get(version="beta", corpus=run.corpus), score)
    return fetched(run)


@pytest.fixture(autouse=True)
def material(corpus: Corpus) -> None:
    example_sets.load_all()


def test_the_same_question_to_the_same_judge_is_there_already(corpus: Corpus, endpoint: Endpoint) -> None:
    judged(planned(corpus, endpoint, temperature=0.0), 40)
    assert judgements_there(planned(corpus, endpoint, temperature=0.0)) == 1


@pytest.mark.parametrize("other", [{"temperature": 1.5}, {"temperature": None}, {"max_tokens": 900}, {"tidy": False}])
def test_other_settings_are_another_judge(corpus: Corpus, endpoint: Endpoint, other: dict[str, Any]) -> None:
    judged(planned(corpus, endpoint, temperature=0.0), 40)
    again = judged(planned(corpus, endpoint, **{"temperature": 0.0, **other}), 80)
    assert judgements_there(again) == 0
    # Neither a report of all runs nor one of the second mixes them.
    assert sorted(sum(row.total for row in verdict.rows) for verdict in findings_of(corpus).judges) == [255.0, 495.0]
    assert [sum(row.total for row in verdict.rows) for verdict in findings_of(corpus, [again]).judges] == [495.0]


def test_the_same_model_at_another_address_is_another_judge(corpus: Corpus, endpoint: Endpoint) -> None:
    judged(planned(corpus, endpoint), 40)
    elsewhere = endpoint_at("http://127.0.0.1:8/v1", name="Elsewhere", model="wise-model")
    assert judgements_there(planned(corpus, elsewhere)) == 0
    assert judgements_there(planned(corpus, endpoint_at(NOWHERE, name="Second key", model="wise-model"))) == 1


def test_an_endpoint_that_moves_does_not_take_its_old_judgements_along(corpus: Corpus, endpoint: Endpoint) -> None:
    judged(planned(corpus, endpoint), 40)
    Endpoint.objects.update(base_url="http://127.0.0.1:7/v1")
    endpoint.refresh_from_db()
    assert judgements_there(planned(corpus, endpoint)) == 0


def test_a_judge_who_was_shown_another_theme_was_asked_something_else(corpus: Corpus, endpoint: Endpoint) -> None:
    run = judged(planned(corpus, endpoint), 40)
    again = planned(corpus, endpoint)
    alpha = Dialogue.objects.get(version="alpha")
    theme = theme_of(Run.objects.create(name="Writing", corpus=corpus, stages=["theme"]), alpha, "Another theme.")
    assert judgements_there(again) == 1
    RunDialogue.objects.filter(run=again).update(background=theme)
    assert judgements_there(again) == 0
    assert findings_of(corpus, [again]).judges == []
    RunDialogue.objects.filter(run=run).update(background=theme)
    assert judgements_there(again) == 1


def test_a_report_tells_two_judges_of_one_model_apart_by_what_differs(corpus: Corpus, endpoint: Endpoint) -> None:
    judged(planned(corpus, endpoint, temperature=0.0), 40)
    judged(planned(corpus, endpoint), 80)
    captions = [table.caption for slug, table in judge_tables(findings_of(corpus)).items() if slug.startswith("scores")]
    assert any("wise-model (temperature 0.0)" in caption for caption in captions), captions
    assert any("wise-model (temperature not set)" in caption for caption in captions), captions


def test_parameters_in_another_order_are_the_same(corpus: Corpus, endpoint: Endpoint) -> None:
    run = judged(planned(corpus, endpoint, temperature=0.0), 40)
    run.run_stages.update(parameters={"temperature": 0.0, "max_tokens": 2000})
    again = judged(planned(corpus, endpoint, temperature=0.0, again=True), 60)
    again.run_stages.update(parameters={"max_tokens": 2000, "temperature": 0.0})
    (verdict,) = findings_of(corpus).judges
    assert {row.n for row in verdict.rows} == {2}
