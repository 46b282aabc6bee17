"""Stored replies are read again without a call, and a reply that breaks the parser does not stop the others."""

import json
from typing import Any

import pytest

from demo.model.faults import DemoSettings
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent, Corpus, Dialogue
from generation.endpoints.client import Reply
from generation.engine import ledger, lifecycle, reading, rereading, retrying
from generation.engine.requests import rebuild_messages
from generation.models import Call, Endpoint, Judgement, Output, Run, RunDialogue, Stage
from generation.stages import SPECS, StageSpec
from generation.watching.progress import progress_of
from tests.demo_server import DemoServer
from tests.generation.calls import PAIR_REPLY, THEME_REPLY, answer, claim
from tests.generation.judged import METRICS, family, judge, judge_run
from tests.generation.runs import endpoint_at, fetched, small_corpus, started, work

pytestmark = pytest.mark.django_db(transaction=True)


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
    assert AuditEvent.objects.filter(verb=AuditVerb.RUN_REREAD).latest("pk").detail == {"usable": 0}


def test_a_lower_threshold_makes_stored_rewrites_usable_without_a_call(demo_model: DemoServer) -> None:
    demo_model.settings = DemoSettings(seed=3, faults={"lost_content": 1.0})
    run = started(small_corpus(4), endpoint_at(demo_model.base_url))
    work(run)
    run = fetched(run)
    assert progress_of(run).causes == {"lost_content": 4}
    asked = demo_model.stats()["requests"]
    assert rereading.reread(run) == 0
    assert rereading.reread(run, keep_share=0.0, by=None) == 4
    run = fetched(run)
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


SKETCH, CHOSEN = (json.dumps({"theme": " ".join([first, *["hills"] * 59])}) for first in ("Sketch", "Chosen"))
PAIR = json.loads(PAIR_REPLY)
THINKS = f"<think>{SKETCH}</think>{CHOSEN}"


def read_wrongly(run: Run, *, wrongly: str, reply: str) -> Call:
    """A call whose reply was read as something else than it is read as today."""
    (call,) = claim(run.endpoints[0])
    answer(call, wrongly)
    reading.read_all()
    Call.objects.filter(pk=call.pk).update(raw_reply=reply)
    return Call.objects.get(pk=call.pk)


def state_of(run: Run) -> object:
    tables = (run.calls.order_by("pk"), run.backgrounds.order_by("pk"), Dialogue.objects.order_by("pk"))
    return [list(rows.values()) for rows in tables], Run.objects.values().get(pk=run.pk)


def test_a_theme_that_was_taken_from_the_reasoning_is_found_told_and_put_right(endpoint: Endpoint) -> None:
    run = started(small_corpus(1), endpoint, stages=["theme"])
    call = read_wrongly(run, wrongly=SKETCH, reply=THINKS)
    before = state_of(run)
    review = rereading.review(run)
    assert review.counts == [(Stage.THEME, "ok", "ok", False, 1)]
    assert state_of(run) == before
    assert rereading.reread(run) == 1
    assert run.backgrounds.get().theme.startswith("Chosen")
    call.refresh_from_db()
    assert (call.state, call.outcome, call.raw_reply) == (Call.State.DONE, "ok", THINKS)
    assert "read as the theme “Sketch" in call.note
    assert rereading.review(run).changes == []
    assert rereading.reread(run) == 0


def test_a_reply_that_holds_no_answer_after_all_counts_as_failed_and_nothing_is_asked(endpoint: Endpoint) -> None:
    run = started(small_corpus(1), endpoint, stages=["theme"])
    call = read_wrongly(run, wrongly=SKETCH, reply=f"<think>{SKETCH} and so on")
    assert rereading.review(run).as_json() == [
        {"stage": "theme", "before": "ok", "after": "unparsable", "kept": False, "calls": 1}
    ]
    assert rereading.reread(run) == 1
    call.refresh_from_db()
    assert (call.state, call.outcome) == (Call.State.FAILED, "unparsable")
    assert (run.backgrounds.count(), run.calls.count()) == (0, 1)


def test_what_has_been_built_on_stays_and_is_noted(endpoint: Endpoint) -> None:
    run = started(small_corpus(1), endpoint)
    call = read_wrongly(run, wrongly=SKETCH, reply=THINKS)
    answer(*claim(endpoint), PAIR_REPLY)
    reading.read_all()
    # While the run goes on, more may be built on anything at any time.
    assert rereading.review(run).changes == []
    lifecycle.pause(run)
    assert rereading.review(run).counts == [(Stage.THEME, "ok", "ok", True, 1)]
    assert rereading.reread(run) == 0
    call.refresh_from_db()
    assert call.note.startswith("Read today, this reply gives another result")
    assert run.backgrounds.get().theme.startswith("Sketch")


@pytest.mark.parametrize("used", [False, True])
def test_dialogues_are_written_anew_unless_somebody_uses_them(endpoint: Endpoint, used: bool) -> None:
    corpus = small_corpus(1)
    Dialogue.objects.update(theme="Two people talk about a walk.")
    run = started(corpus, endpoint, stages=["pair"])
    other = json.dumps({**PAIR, "step_by_step": [[1, "x"], [1, "y"], [2, "z"], [1, "d"], [2, "e"]]})
    call = read_wrongly(run, wrongly=PAIR_REPLY, reply=f"{PAIR_REPLY}\nBetter:\n{other}")
    if used:
        gamma = Dialogue.objects.get(version="gamma")
        judged = Run.objects.create(name="Judging", corpus=corpus, stages=["judge"])
        RunDialogue.objects.create(run=judged, dialogue=gamma)
    assert [row[3] for row in rereading.review(run).counts] == [used]
    assert rereading.reread(run) == (not used)
    call.refresh_from_db()
    first = Dialogue.objects.get(version="gamma").messages[0]
    assert first == ([1, "a"] if used else [1, "x"])
    assert Dialogue.objects.count() == 3
    assert ("The reply holds 2 answers" in call.note) is not used


def test_scores_that_were_read_wrongly_are_put_right_and_the_old_ones_noted(endpoint: Endpoint) -> None:
    corpus = Corpus.objects.create(name="Chats")
    text = family(corpus, 0, {"gpt-4": ["beta"]})["gpt-4", "beta"]
    run = judge_run(corpus, "wise-model", state=Run.State.FINISHED)
    call = judge(run, text, 10)
    said = {metric: {"reason": "It is so.", "score": 80} for metric in METRICS}
    draft = {metric: {"reason": "Perhaps.", "score": 10} for metric in METRICS}
    Call.objects.filter(pk=call.pk).update(raw_reply=f"{json.dumps(draft)}</think>{json.dumps(said)}")
    run = fetched(run)
    assert rereading.review(run).counts == [(Stage.JUDGE, "ok", "ok", False, 1)]
    assert rereading.reread(run) == 1
    assert set(Judgement.objects.values_list("score", flat=True)) == {80.0}
    call.refresh_from_db()
    assert "read as the scores interesting 10, informative 11" in call.note


def test_an_answer_that_was_kept_whole_is_read_once_its_shape_is_known(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = started(small_corpus(1), endpoint, stages=["theme"])
    body = json.dumps({"choices": [{"message": {"content": [{"type": "text", "text": CHOSEN}]}}]})
    for _ in range(3):
        (call,) = claim(endpoint)
        ledger.settle("me", [ledger.Settlement(call.pk, call.attempt, Reply("", "", "m", 1, 1, False, body=body))])
        with monkeypatch.context() as earlier:
            earlier.setattr(reading, "read_reply", lambda kept: Reply("", "", "m", 1, 1, is_demo=False))
            reading.read_all()
    assert set(run.calls.values_list("outcome", flat=True)) == {"empty"}
    assert rereading.review(run).counts == [(Stage.THEME, "empty", "ok", False, 1)]
    assert rereading.reread(run) == 1
    assert run.backgrounds.get().theme.startswith("Chosen")


def test_a_failure_takes_the_name_that_it_has_today(endpoint: Endpoint) -> None:
    run = started(small_corpus(1), endpoint, stages=["theme"])
    for _ in range(3):
        answer(*claim(endpoint), "Nonsense!")
        reading.read_all()
    Call.objects.update(raw_reply="I'm sorry, but I can't write about this.")
    assert rereading.review(run).counts == [(Stage.THEME, "unparsable", "refused", False, 1)]
    assert rereading.reread(run) == 1
    assert run.calls.failed().get().outcome == "refused"


def test_a_threshold_that_is_raised_takes_nothing_back(demo_model: DemoServer) -> None:
    run = started(small_corpus(1), endpoint_at(demo_model.base_url), keep_share=0.1)
    work(run)
    assert rereading.review(run, keep_share=1.0).changes == []
    assert run.keep_share == 0.1
