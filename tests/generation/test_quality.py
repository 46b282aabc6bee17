"""What a run wrote, in figures that can be counted by hand."""

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from core.tables import to_csv
from dialogues.baseline import split_all
from dialogues.models import Corpus, Dialogue
from dialogues.statistics_tables import DEMO_REMARK
from generation.models import Call, Output, Run
from generation.parsing import Outcome
from generation.results.run_quality import Written, quality_of
from generation.results.run_quality_tables import comparison_tables, quality_tables
from generation.results.writers import writers_of
from generation.watching.causes import CAUSES, MEANINGS, examples_of_failures
from tests.generation.runs import NOWHERE, endpoint_at, small_corpus
from tests.generation.written_runs import answered, written_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def corpus() -> Corpus:
    return small_corpus(3)


@pytest.fixture
def run(corpus: Corpus) -> Run:
    """Three backgrounds, two writers."""
    first = endpoint_at(NOWHERE, name="One", model="model-a")
    return written_run(corpus, first, endpoint_at(NOWHERE, name="Two", model="model-b"))


def by_writer(run: Run, version: str) -> list[Written]:
    return [row for row in quality_of([run]).written if row.version.pk == version]


def cells(rows: Any) -> list[list[Any]]:
    return [list(row) for row in rows]


def test_every_version_is_measured_for_every_writer_and_the_originals_once(run: Run) -> None:
    versions = [(row.version.pk, row.writer and row.writer.branch) for row in quality_of([run]).written]
    assert versions == [
        ("alpha", None),
        *((version, branch) for version in ("beta", "gamma", "stephanie") for branch in (0, 1)),
    ]


def test_words_turns_and_messages_are_those_of_the_dialogues(run: Run) -> None:
    (gamma, _) = by_writer(run, "gamma")
    assert (gamma.dialogues, gamma.messages, gamma.turns, gamma.words) == (3, 18, 12, 24)
    assert gamma.words_per_message is not None
    assert gamma.words_per_message.value == pytest.approx(24 / 18)
    assert gamma.acmc is not None
    assert gamma.acmc.value == pytest.approx(1.5)
    assert gamma.consecutive == {"1": 0.5, "2": 0.5, "3": 0, "4": 0, "5": 0, "6+": 0}


def test_the_paper_stands_beside(run: Run) -> None:
    text = to_csv(quality_tables(quality_of([run]))["lengths"])
    beta = next(line for line in text.splitlines() if line.startswith("β,model-a"))
    assert beta.endswith(",1.08")
    assert "paper, GPT-4" in to_csv(quality_tables(quality_of([run]))["consecutive"])


def test_the_punctuation_baseline_counts_with_the_writer_of_its_beta(run: Run) -> None:
    split_all(run.corpus)
    assert [(row.dialogues, row.messages) for row in by_writer(run, "punctuation")] == [(3, 12), (3, 12)]


def test_outcomes_tell_first_replies_from_mended_ones_and_failures_by_cause(run: Run) -> None:
    pair = run.run_stages.get(stage="pair", branch=0)
    first, second, third = Call.objects.filter(run_stage=pair).order_by("pk")
    for call, repairs in ((first, 1), (second, 2)):
        Call.objects.filter(pk=call.pk).update(outcome="unparsable")
        for number in range(1, repairs + 1):
            answered(pair, call.dialogue, call.alpha, repair=number, outcome="ok" if number == repairs else "empty")
    Call.objects.filter(pk=third.pk).update(state="failed", outcome="rejected")
    row = next(row for row in quality_of([run]).outcomes if row.stage == "pair" and row.writer.branch == 0)
    assert (row.reached, row.first, row.mended, row.open) == (3, 0, 2, 0)
    assert row.causes == {"unparsable": 2, "empty": 1, "rejected": 1}
    assert row.failed == {"rejected": 1}


def test_a_failed_call_that_was_replaced_is_no_failure_any_more(run: Run) -> None:
    call = Call.objects.filter(run=run, stage="pair").earliest("pk")
    answered(call.run_stage, call.dialogue, call.alpha, sample=1, state="failed", outcome="rejected", replaced=True)
    row = next(row for row in quality_of([run]).outcomes if row.stage == "pair")
    assert (row.failed.total(), row.causes["rejected"], row.reached) == (0, 1, 3)


def test_a_waiting_call_is_open(run: Run) -> None:
    Call.objects.filter(pk=Call.objects.filter(run=run, stage="theme").latest("pk").pk).update(state="todo", outcome="")
    theme = quality_of([run]).outcomes[0]
    assert (theme.first, theme.open, theme.reached) == (2, 1, 3)


def test_kept_content_is_a_mean_with_its_spread_and_bands(run: Run) -> None:
    pks = list(Output.objects.filter(call__run_stage__branch=0, version="stephanie").values_list("pk", flat=True))
    for pk, kept in zip(pks, (0.85, 0.9, 1.0), strict=True):
        Output.objects.filter(pk=pk).update(kept=kept, invented=0.1)
    row = quality_of([run]).kept[0]
    assert row.kept.value == pytest.approx(2.75 / 3)
    assert (row.kept.n, row.least, row.bands) == (3, 0.85, (0, 1, 1, 0, 1))
    assert row.invented == pytest.approx(0.1)
    assert row.kept.low is not None
    # 4.3027 standard errors of (0.85, 0.9, 1): s = 0.0764, n = 3.
    assert row.kept.low == pytest.approx(2.75 / 3 - 4.3027 * 0.076376 / 3**0.5, abs=1e-4)


def test_only_shared_backgrounds_compare_like_with_like(run: Run) -> None:
    Output.objects.filter(call__run_stage__branch=1, version="stephanie").earliest("pk").dialogue.delete()
    assert [row.dialogues for row in quality_of([run], shared_only=True).written] == [2] * 7
    assert [row.dialogues for row in quality_of([run]).written] == [3, 3, 3, 3, 3, 3, 2]


def test_runs_of_one_corpus_are_compared_and_their_writers_told_apart(run: Run) -> None:
    other = written_run(run.corpus, run.run_stages.first().endpoint, name="Again")
    names = list(writers_of([run, other]).names.values())
    assert names == ["model-a · Written", "model-b", "model-a · Again"]
    rows = comparison_tables(quality_of([run, other]))["lengths"].rows
    assert [row[1] for row in rows if getattr(row[0], "text", "") == "β"] == names
    assert next(row[2] for row in rows) == 3


def test_a_model_that_split_for_another_is_named(run: Run) -> None:
    run.run_stages.filter(stage="further_split", branch=0).update(model="model-s")
    (row, _) = by_writer(run, "stephanie")
    assert writers_of([run]).label(row.writer, "stephanie") == "model-a, split by model-s"
    assert writers_of([run]).label(row.writer, "gamma") == "model-a"


def test_it_asks_as_much_for_many_dialogues_as_for_few(
    corpus: Corpus, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    endpoint = endpoint_at(NOWHERE)
    small = written_run(corpus, endpoint)
    large = written_run(small_corpus(20, "Large"), endpoint)
    for one in (small, large):
        with django_assert_num_queries(7):
            assert quality_tables(quality_of([one]))


def test_problems_are_explained_and_shown_by_their_newest_replies(run: Run) -> None:
    for call in Call.objects.filter(run=run, stage="pair").order_by("pk"):
        Call.objects.filter(pk=call.pk).update(outcome="unparsable", raw_reply=f"no json {call.pk} " + "x" * 2000)
    table = quality_tables(quality_of([run]))["problems"]
    assert any("no JSON of the kind asked for" in note for note in table.notes)
    (failure,) = examples_of_failures(run)
    assert (failure.cause, failure.stage, len(failure.calls)) == ("unparsable", "pair", 3)
    keys = [call.pk for call in failure.calls]
    assert keys == sorted(keys, reverse=True)
    assert len(failure.calls[0].beginning) == 600


def test_a_run_without_a_reply_has_tables_without_division_by_nothing(run: Run) -> None:
    Output.objects.all().delete()
    Call.objects.filter(run=run).update(state="todo", outcome="")
    tables = quality_tables(quality_of([run]))
    assert set(tables) == {"outcomes", "lengths", "consecutive"}


def test_every_named_outcome_has_words_and_a_meaning() -> None:
    assert set(CAUSES) == set(MEANINGS)
    assert set(Outcome) - {Outcome.OK} <= set(CAUSES)


def test_a_file_of_what_demo_rewrites_kept_says_that_the_demo_wrote_them(run: Run) -> None:
    assert DEMO_REMARK not in to_csv(quality_tables(quality_of([run]))["content"])
    Dialogue.objects.filter(output__call__run=run).update(is_demo=True)
    rows = to_csv(quality_tables(quality_of([run]))["content"]).splitlines()[1:]
    assert rows
    assert all(DEMO_REMARK in row for row in rows)
