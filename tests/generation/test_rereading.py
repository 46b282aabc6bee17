"""Stored replies are read again without a call, and one that breaks the parser keeps no other from being read."""

from typing import Any

import pytest

from dialogues.models import AuditEvent
from generation.demo_model.settings import DemoSettings
from generation.engine import reading, rereading, retrying
from generation.engine.requests import rebuild_messages
from generation.models import Call, Endpoint, Output, Run, Stage
from generation.stages import SPECS, StageSpec
from generation.watching.progress import progress_of
from tests.demo_server import DemoServer
from tests.generation.calls import PAIR_REPLY, THEME_REPLY, answer, claim
from tests.generation.runs import endpoint_at, small_corpus, started, work

pytestmark = pytest.mark.django_db(transaction=True)

ADDRESS = "http://127.0.0.1:9/v1"


@pytest.fixture
def endpoint() -> Endpoint:
    return endpoint_at(ADDRESS)


def broken_at(text: str) -> StageSpec:
    """The theme stage with a parser that breaks on one reply."""
    spec = SPECS[Stage.THEME]

    def read(reply: str, *rest: Any) -> Any:
        if text in reply:
            raise ZeroDivisionError
        return spec.read(reply, *rest)

    return StageSpec(spec.messages, read, spec.kinds, spec.passes_on)


def test_a_reply_that_breaks_the_parser_fails_alone_and_can_be_read_when_that_is_mended(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = started(small_corpus(3), endpoint)
    first, *others = claim(endpoint)
    answer(first, THEME_REPLY + " breaks it")
    for call in others:
        answer(call, THEME_REPLY)
    with monkeypatch.context() as broken:
        broken.setattr(reading, "SPECS", {**SPECS, Stage.THEME: broken_at("breaks it")})
        assert reading.read_all() == 3
    row = Call.objects.get(pk=first.pk)
    assert (row.state, row.outcome) == (Call.State.FAILED, "not_read")
    assert "ZeroDivisionError" in row.error
    assert run.backgrounds.count() == 2
    assert run.calls.filter(stage="pair").count() == 2

    assert rereading.reread(run) == 1
    assert rereading.reread(run) == 0
    row.refresh_from_db()
    assert (row.state, row.outcome) == (Call.State.DONE, "ok")
    assert (run.backgrounds.count(), run.calls.filter(stage="pair").count()) == (3, 3)
    assert AuditEvent.objects.filter(verb="run.reread").latest("pk").detail == {"usable": 0}


def test_a_lower_threshold_makes_stored_rewrites_usable_without_a_call(demo_model: DemoServer) -> None:
    demo_model.settings = DemoSettings(seed=3, faults={"lost_content": 1.0})
    run = started(small_corpus(4), endpoint_at(demo_model.base_url))
    work(run)
    run = Run.objects.with_stages().get(pk=run.pk)
    assert progress_of(run).causes == {"lost_content": 4}
    asked = demo_model.stats()["requests"]
    assert rereading.reread(run) == 0
    assert rereading.reread(run, keep_share=0.0, by=None) == 4
    run = Run.objects.with_stages().get(pk=run.pk)
    progress = progress_of(run)
    assert (run.state, run.keep_share, progress.done, progress.failed) == ("finished", 0.0, 4, 0)
    assert demo_model.stats()["requests"] == asked
    assert Output.objects.filter(version="stephanie", kept__lt=0.8, invented__isnull=False).count() == 4
    # The newest reply was taken, and what was sent can still be proven.
    assert set(run.calls.filter(stage="further_split", outcome="ok").values_list("repair", flat=True)) == {2}
    assert all(rebuild_messages(call)[1] for call in run.calls.all())
    assert rereading.reread(run, keep_share=0.0) == 0


def test_a_place_where_something_is_on_its_way_is_left_alone(endpoint: Endpoint) -> None:
    run = started(small_corpus(1), endpoint, keep_share=1.0)
    answer(*claim(endpoint), THEME_REPLY)
    reading.read_all()
    answer(*claim(endpoint), PAIR_REPLY)
    reading.read_all()
    answer(*claim(endpoint), '{"step_by_step": [[1,"a"],[1,"b"],[2,"c"],[1,"d"],[2,"f"]]}')
    reading.read_all()
    assert run.calls.filter(stage="further_split", repair=1, state=Call.State.TODO).exists()
    assert rereading.reread(run, keep_share=0.5) == 0
    claim(endpoint)
    assert rereading.reread(run) == 0


def test_a_reply_read_again_goes_on_to_the_next_stage_and_its_run_goes_on(endpoint: Endpoint) -> None:
    run = started(small_corpus(1), endpoint)
    for _ in range(3):
        answer(*claim(endpoint), "Nonsense!")
        reading.read_all()
    newest = run.calls.latest("pk")
    # As if the parser had learned to read it.
    Call.objects.filter(pk=newest.pk).update(raw_reply=THEME_REPLY)
    run.refresh_from_db()
    assert run.state == Run.State.FINISHED
    assert rereading.reread(run) == 1
    run.refresh_from_db()
    assert run.state == Run.State.RUNNING
    assert run.calls.get(stage="pair").state == Call.State.TODO


def test_an_older_reply_that_is_usable_now_takes_the_place_of_the_failure(endpoint: Endpoint) -> None:
    run = started(small_corpus(1), endpoint)
    for _ in range(3):
        answer(*claim(endpoint), "Nonsense!")
        reading.read_all()
    retrying.retry(run)
    for _ in range(3):
        answer(*claim(endpoint), "Nonsense again!")
        reading.read_all()
    first = run.calls.earliest("pk")
    Call.objects.filter(pk=first.pk).update(raw_reply=THEME_REPLY)
    assert rereading.reread(run) == 1
    assert run.calls.failed().count() == 0
    assert run.backgrounds.get().call_id == first.pk


def test_a_share_beyond_one_is_refused(endpoint: Endpoint) -> None:
    run = started(small_corpus(1), endpoint)
    with pytest.raises(ValueError, match="from 0 to 1"):
        rereading.reread(run, keep_share=1.5)
