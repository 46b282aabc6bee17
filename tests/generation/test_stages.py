"""What each stage reads and makes, through a whole run."""

import pytest

from dialogues.models import Dialogue
from generation.engine.requests import rebuild_messages
from generation.models import Background, Run, Stage
from tests.demo_server import DemoServer
from tests.generation.runs import endpoint_at, small_corpus, started, work

pytestmark = pytest.mark.django_db(transaction=True)


def test_traits_that_the_corpus_lacks_are_drawn_by_the_model_and_marked(demo_model: DemoServer) -> None:
    corpus = small_corpus(2)
    bare = corpus.dialogues.earliest("pk")
    Dialogue.objects.filter(pk=bare.pk).update(traits_2=[])
    run = started(corpus, endpoint_at(demo_model.base_url))
    work(run)
    drawn = Background.objects.get(run=run, dialogue=bare)
    assert drawn.traits_extracted
    assert drawn.traits_1 == bare.traits_1
    assert drawn.traits_2
    assert not Background.objects.exclude(dialogue=bare).get().traits_extracted
    beta = Dialogue.objects.get(origin=bare, version="beta")
    assert (beta.theme, beta.traits_2) == (drawn.theme, drawn.traits_2)


def test_without_the_theme_stage_the_corpuss_own_theme_is_used(demo_model: DemoServer) -> None:
    corpus = small_corpus(1)
    Dialogue.objects.update(theme="Two people talk about a long walk with a dog.")
    run = started(corpus, endpoint_at(demo_model.base_url), stages=[Stage.PAIR])
    work(run)
    run.refresh_from_db()
    assert run.state == Run.State.FINISHED
    call = run.calls.get()
    request, proven = rebuild_messages(call)
    assert proven
    assert "long walk with a dog" in request.messages[-1]["content"]
    assert sorted(run.corpus.dialogues.values_list("version_id", flat=True)) == ["alpha", "beta", "gamma"]


def test_stephanie_comes_from_gamma_and_both_belong_to_alpha(demo_model: DemoServer) -> None:
    run = started(small_corpus(1), endpoint_at(demo_model.base_url))
    work(run)
    alpha, beta, gamma, stephanie = (
        Dialogue.objects.get(version=slug) for slug in ("alpha", "beta", "gamma", "stephanie")
    )
    assert stephanie.parent == gamma
    assert (beta.parent, gamma.parent) == (None, None)
    assert {beta.origin, gamma.origin, stephanie.origin} == {alpha}
    assert beta.message_count == beta.turn_count
    assert gamma.message_count > gamma.turn_count


def test_the_same_seed_asks_the_same_and_another_seed_differs(demo_model: DemoServer) -> None:
    corpus, endpoint = small_corpus(1), endpoint_at(demo_model.base_url)
    runs = [started(corpus, endpoint, stages=[Stage.THEME], seed=seed) for seed in (1, 1, 2)]
    work(*runs)
    hashes = [run.calls.get().request_sha256 for run in runs]
    assert hashes[0] == hashes[1] != hashes[2]
