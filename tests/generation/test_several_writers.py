"""Several models on the same backgrounds in one run, and themes that earlier runs wrote."""

import asyncio
from collections import Counter

import pytest
from django.db import connections

from demo.model.faults import DemoSettings
from dialogues.models import Dialogue
from generation.engine import lifecycle
from generation.engine.requests import rebuild_messages
from generation.engine.runner import CallRunner, Plan
from generation.models import Background, Call, Endpoint, Run, Stage
from generation.plans import run_plan
from generation.plans.choosing import Selection, candidates
from generation.plans.estimating import estimate, preview
from generation.plans.run_plan import PlanError
from generation.watching.progress import progress_of
from tests.demo_server import DemoServer
from tests.generation.runs import NOWHERE, draft, endpoint_at, fetched, small_corpus, started, work
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)


def writers(base_url: str, *names: str) -> list[Endpoint]:
    return [endpoint_at(base_url, name=name) for name in names]


def by_each(one: Endpoint, *others: Endpoint) -> dict[Stage, list[Endpoint]]:
    """The first model writes the themes, and each writes its own pairs and splits them."""
    return {Stage.THEME: [one], Stage.PAIR: [one, *others]}


def test_two_writers_share_themes_and_each_splits_its_own(demo_model: DemoServer) -> None:
    first, second = writers(demo_model.base_url, "First", "Second")
    run = started(small_corpus(3), first, endpoints=by_each(first, second))
    work(run)
    run.refresh_from_db()
    assert run.state == Run.State.FINISHED
    assert demo_model.stats()["stages"] == {"theme": 3, "pair": 6, "further_split": 6}
    written = Dialogue.objects.filter(output__call__run=run)
    assert Counter(written.values_list("version_id", flat=True)) == {"beta": 6, "gamma": 6, "stephanie": 6}
    for row in written.filter(version="stephanie").select_related("parent"):
        assert row.parent is not None
        branch = row.output.call.run_stage.branch
        assert row.parent.output.call.run_stage.branch == branch
        assert row.parent.output.call.run_stage.endpoint == (first, second)[branch]
    themes = written.values("origin").distinct().count(), written.values("theme").distinct().count()
    assert themes == (3, Background.objects.values("theme").distinct().count())
    progress = progress_of(fetched(run))
    assert (progress.done, progress.journeys, progress.sentence) == (6, 6, "6 of 6 dialogues")


def test_one_model_can_split_what_every_writer_wrote() -> None:
    first, second, third = writers(NOWHERE, "First", "Second", "Third")
    run = draft(small_corpus(1), first, endpoints={**by_each(first, second), Stage.FURTHER_SPLIT: [third]})
    found = [(row.stage, row.branch, row.endpoint.name) for row in run.rows]
    assert found == [
        ("theme", 0, "First"), ("pair", 0, "First"), ("pair", 1, "Second"), ("further_split", 0, "Third"),
        ("further_split", 1, "Third"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda a, b: {Stage.THEME: [a, b], Stage.PAIR: [a]}, "One model writes the themes"),
        (lambda a, b: {Stage.THEME: [a], Stage.PAIR: [a, a]}, "named twice"),
        (lambda a, b: {Stage.THEME: [a]}, "Choose an endpoint for Pair"),
        (lambda a, b: {Stage.THEME: [a], Stage.PAIR: [a], Stage.FURTHER_SPLIT: [a, b]}, "as many as there are writers"),
    ],
)
def test_writers_that_cannot_be_are_refused_in_words(change, words: str) -> None:  # type: ignore[no-untyped-def]
    corpus, (a, b) = small_corpus(1), writers(NOWHERE, "A", "B")
    with pytest.raises(PlanError, match=words):
        draft(corpus, a, endpoints=change(a, b))
    assert not Run.objects.exists()


def test_a_theme_that_is_there_is_not_paid_again(demo_model: DemoServer) -> None:
    corpus, endpoint = small_corpus(3), endpoint_at(demo_model.base_url)
    earlier = started(corpus, endpoint, stages=[Stage.THEME], sample=2)
    work(earlier)
    plan = draft(corpus, endpoint, reuse_themes=True)
    assert run_plan.already_there(plan).themes == 2
    assert [(row.stage, row.calls) for row in estimate(plan)] == [("theme", 1), ("pair", 3), ("further_split", 3)]
    shown = {row.stage: request for row, request in preview(plan, Background.objects.earliest("pk").dialogue)}
    assert Background.objects.earliest("pk").theme in shown["pair"].messages[-1]["content"]

    lifecycle.start(plan)
    work(plan)
    plan.refresh_from_db()
    assert plan.state == Run.State.FINISHED
    assert demo_model.stats()["stages"] == {"theme": 3, "pair": 3, "further_split": 3}
    for call in Call.objects.filter(run=plan, stage="pair"):
        assert rebuild_messages(call)[1]
    for background in earlier.backgrounds.all():
        beta = Dialogue.objects.get(origin=background.dialogue, version="beta")
        assert beta.theme == background.theme


def test_a_theme_by_the_demo_rules_is_not_taken_for_one_by_a_model(demo_model: DemoServer) -> None:
    corpus, demo = small_corpus(1), endpoint_at(demo_model.base_url)
    work(started(corpus, demo, stages=[Stage.THEME]))
    real = endpoint_at(NOWHERE, name="Real", model="a-model")
    assert run_plan.already_there(draft(corpus, real, reuse_themes=True)).themes == 0
    assert run_plan.already_there(draft(corpus, demo, reuse_themes=True)).themes == 1


def test_only_dialogues_without_a_version_are_taken_when_asked(demo_model: DemoServer) -> None:
    corpus, endpoint = small_corpus(4), endpoint_at(demo_model.base_url)
    work(started(corpus, endpoint, sample=1))
    assert candidates(corpus, Selection(without="stephanie")).count() == 3
    assert candidates(corpus, Selection(without="stephanie", without_writer="somebody-else")).count() == 4
    assert candidates(corpus, Selection(without="stephanie", without_writer="demo-rules")).count() == 3
    assert candidates(corpus, Selection(search="walk . 2")).count() == 1
    assert candidates(corpus, Selection(fewest_messages=7)).count() == 0
    assert candidates(corpus, Selection(fewest_messages=6, most_messages=6)).count() == 4


def test_a_run_on_its_way_is_estimated_by_its_own_answers(demo_model: DemoServer) -> None:
    demo_model.settings = DemoSettings(seed=5, latency=0.02, faults={"unparsable": 0.1, "lost_content": 0.1})
    run = started(small_corpus(150), endpoint_at(demo_model.base_url, price_in=1, price_out=4, max_in_flight=8))

    async def until_enough_are_through() -> None:
        runner = CallRunner(Plan(runs=(run.pk,)))
        task = asyncio.create_task(runner.run())
        # Ten more than are needed: an answer that was lost is through, and is not measured.
        await asyncio.to_thread(until, lambda: through() >= 60, "60 answers")
        runner.stop()
        await task

    def through() -> int:
        try:
            return run.calls.filter(stage="further_split", state=Call.State.DONE).count()
        finally:
            connections.close_all()

    asyncio.run(until_enough_are_through())
    expected = estimate(fetched(run))
    assert run.calls.filter(stage="further_split").count() < 120
    assert all(row.measured >= 50 for row in expected)
    work(run)
    run.refresh_from_db()
    assert run.state == Run.State.FINISHED
    assert float(run.spent) == pytest.approx(float(sum(row.cost for row in expected)), rel=0.1)


def test_after_fifty_answers_the_estimate_is_what_the_run_really_takes(demo_model: DemoServer) -> None:
    corpus = small_corpus(60)
    endpoint = endpoint_at(demo_model.base_url, price_in=1, price_out=4)
    work(started(corpus, endpoint, sample=55, seed=1))
    whole = draft(corpus, endpoint)
    expected = estimate(whole)
    assert all(row.measured >= 50 for row in expected)
    lifecycle.start(whole)
    work(whole)
    whole.refresh_from_db()
    assert whole.state == Run.State.FINISHED
    assert float(whole.spent) == pytest.approx(float(sum(row.cost for row in expected)), rel=0.1)
    tokens = sum(row.prompt_tokens + row.completion_tokens for row in expected)
    assert whole.tokens_spent == pytest.approx(tokens, rel=0.1)
