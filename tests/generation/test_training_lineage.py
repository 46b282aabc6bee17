"""Where a training set comes from: runs, models, prompts and judges, in a handful of queries."""

import json
from pathlib import Path

import pytest
from pytest_django import DjangoAssertNumQueries

from dialogues.models import Corpus
from generation.models import Prompt, Run, TrainingSet
from generation.training import directory
from generation.training.lineage import Written, lineage_of
from tests.generation.judged import judge, judge_run
from tests.generation.runs import NOWHERE, endpoint_at, small_corpus
from tests.generation.training_sets import built_set
from tests.generation.written_runs import written_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def run() -> Run:
    """Every stage by one writer."""
    return written_run(small_corpus(3), endpoint_at(NOWHERE))


def stephanies(corpus: Corpus, **recipe: object) -> TrainingSet:
    return built_set(corpus, corpus.dialogues.of_version("stephanie").order_by("pk"), validation=0, test=0, **recipe)


def test_the_run_that_wrote_a_set_is_named_with_its_prompts_and_examples(run: Run, tmp_path: Path) -> None:
    made = stephanies(run.corpus)
    lineage = lineage_of(made)
    model = run.rows[0].model
    assert lineage.written == (Written("stephanie", model, False, 3),)
    assert [(one.run, one.name) for one in lineage.runs] == [(run.pk, "Written")]
    hashes = {row.stage: Prompt.objects.filter(stage=row.stage).latest("version").sha256 for row in run.rows}
    assert {stage.stage: stage.prompt.sha256 for stage in lineage.runs[0].stages} == hashes
    assert any("further_split" in name for stage in lineage.runs[0].stages for name in stage.example_sets)
    assert lineage.judges == ()
    directory.write(made, tmp_path / "out")
    told = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))["lineage"]
    assert told["runs"][0]["stages"][0]["prompt"]["sha256"] in hashes.values()
    assert f"Written in run {run.pk}, Written" in (tmp_path / "out" / "README.md").read_text(encoding="utf-8")


def test_a_dialogue_that_no_run_wrote_names_the_run_of_what_it_was_written_from(run: Run) -> None:
    split = run.corpus.dialogues.of_version("stephanie").order_by("pk")[0]
    split.output.delete()
    assert [one.run for one in lineage_of(built_set(run.corpus, [split], validation=0, test=0)).runs] == [run.pk]


@pytest.mark.parametrize("filters", [{}, {"judge": {"metric": "natural", "at_least": 50}}])
def test_judges_are_named_only_where_their_scores_chose(run: Run, filters: dict[str, object]) -> None:
    judging = judge_run(run.corpus, "a judge")
    for row in run.corpus.dialogues.of_version("stephanie"):
        judge(judging, row, 80)
    lineage = lineage_of(stephanies(run.corpus, filters=filters))
    assert lineage.judged_metrics == (("natural",) if filters else ())
    found = [(one.run, one.stages[0].model) for one in lineage.judges]
    assert found == ([(judging.pk, "a judge")] if filters else [])


def test_the_number_of_queries_does_not_grow_with_the_set(
    run: Run, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    made = stephanies(run.corpus)
    with django_assert_max_num_queries(8):
        lineage_of(made)
