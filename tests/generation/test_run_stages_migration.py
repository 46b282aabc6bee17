"""Runs move between one model a run, as it once was, and one a stage; model, prompts, examples and calls stay."""

from typing import Any

import pytest
from django.db import connection
from django.db.migrations.exceptions import IrreversibleError
from django.db.migrations.executor import MigrationExecutor

from annotation import triggers as study_triggers
from generation import triggers
from generation.engine import reading
from generation.models import Run, Stage
from tests.generation.calls import THEME_REPLY, answer, claim
from tests.generation.runs import NOWHERE, draft, endpoint_at, fetched, small_corpus, started

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = [("generation", "0001_initial")]
REFUSING = [("generation", "0002_run_stages")]


def migrate(to: list[tuple[str, str]]) -> Any:
    """The models of then."""
    # A migration back reaches the plans of studies, too.
    with triggers.TRIGGERS.lifted(), study_triggers.TRIGGERS.lifted():
        MigrationExecutor(connection).migrate(to)
    return apps_at(to)


def apps_at(migrations: list[tuple[str, str]]) -> Any:
    return MigrationExecutor(connection).loader.project_state(migrations).apps


def test_a_run_moves_to_one_model_a_run_and_back_to_one_a_stage_and_no_way_back_loses_nothing() -> None:
    one, two = (endpoint_at(NOWHERE, name=name) for name in ("A", "B"))
    several = started(small_corpus(1, "More"), one, endpoints={Stage.THEME: [one], Stage.PAIR: [one, two]})
    (call,) = claim(one)
    reading.read_replies(answer(call, THEME_REPLY))
    run = started(small_corpus(1), endpoint_at(NOWHERE), stages=[Stage.THEME, Stage.PAIR], max_tokens=99)
    run.calls.update(state="done", outcome="ok", attempt=2, prompt_tokens=100, completion_tokens=10)
    Run.objects.filter(pk=run.pk).update(state="paused", state_reason="Paused by hand.", pause_cause="hand")
    newest = MigrationExecutor(connection).loader.graph.leaf_nodes()
    try:
        with pytest.raises(IrreversibleError, match="no way back"):
            migrate(BEFORE)
        of_several = apps_at(REFUSING).get_model("generation", "Call").objects.filter(run=several.pk)
        assert sorted(of_several.values_list("stage", "run_stage__branch")) == [("pair", 0), ("pair", 1), ("theme", 0)]
        of_several.filter(run_stage__branch=1).delete()

        old = migrate(BEFORE).get_model("generation", "Run").objects.get(pk=run.pk)
        assert (old.endpoint.name, old.model, old.parameters) == ("Demo", "demo-rules", {"max_tokens": 99})
        assert sorted(old.prompts.values_list("stage", flat=True)) == ["pair", "theme"]
        assert (old.single_step_set.kind, old.step_by_step_set.kind) == ("single_step", "step_by_step")
        assert [call.prompt.stage for call in old.calls.all()] == ["theme"]
    finally:
        migrate(newest)

    again = fetched(run)
    assert [(row.stage, row.model, row.parameters, row.prompt.stage) for row in again.rows] == [
        ("theme", "demo-rules", {"max_tokens": 99}, "theme"), ("pair", "demo-rules", {"max_tokens": 99}, "pair"),
    ]  # fmt: skip
    assert [used.kind for used in again.sets_used] == ["single_step", "step_by_step"]
    call = again.calls.get()
    assert (call.run_stage, call.tries) == (again.rows[0], 2)
    assert (again.tokens_spent, again.pause_cause) == (110, "hand")
    assert sorted(several.calls.values_list("stage", flat=True)) == ["pair", "theme"]


def test_stages_that_have_started_are_given_their_endpoints_address_and_drafts_are_not() -> None:
    endpoint = endpoint_at(NOWHERE)
    run = started(small_corpus(1), endpoint)
    plan = draft(run.corpus, endpoint)
    newest = MigrationExecutor(connection).loader.graph.leaf_nodes()
    try:
        migrate([("generation", "0009_trials")])
    finally:
        migrate(newest)
    assert set(run.run_stages.values_list("address", flat=True)) == {NOWHERE}
    assert set(plan.run_stages.values_list("address", flat=True)) == {""}
    assert {row.who[0] for row in plan.run_stages.all()} == {NOWHERE}
