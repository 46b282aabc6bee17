"""The queue of record: who may send which call, and how its result is stored."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from generation.endpoints.client import CallError, Reply, Trouble
from generation.engine import ledger, lifecycle, reading, retrying
from generation.engine.ledger import Settlement
from generation.models import NEVER_ANSWERED, Call, Endpoint, Prompt, Run, Runner, Stage
from tests.dialogues.rows import add_dialogue
from tests.generation.calls import THEME, answer, claim, trouble
from tests.generation.runs import NOWHERE, draft, endpoint_at, small_corpus, started

pytestmark = pytest.mark.django_db


def test_a_claimed_call_is_not_given_out_again(run: Run) -> None:
    assert len(claim(run.endpoints[0], 2)) == 2
    assert len(claim(run.endpoints[0], 5, owner="other")) == 1
    assert claim(run.endpoints[0]) == []


def test_a_paused_run_gives_nothing_out_and_its_calls_in_flight_come_home(run: Run) -> None:
    (call,) = claim(run.endpoints[0], 1)
    lifecycle.pause(run)
    assert claim(run.endpoints[0]) == []
    assert answer(call, f'{{"theme": "{THEME}"}}') == [call.pk]


def test_two_starts_plan_every_call_once(endpoint: Endpoint) -> None:
    run = draft(small_corpus(3), endpoint)
    assert lifecycle.start(run)
    assert not lifecycle.start(run)
    lifecycle.plan(run)
    assert run.calls.count() == 3


def test_an_endpoint_never_has_more_in_flight_than_it_allows(run: Run) -> None:
    Endpoint.objects.update(max_in_flight=2)
    assert len(claim(run.endpoints[0], 10)) == 2
    assert claim(run.endpoints[0], 10, owner="other") == []


def test_calls_of_a_dead_runner_do_not_hold_the_endpoint_up(run: Run) -> None:
    Endpoint.objects.update(max_in_flight=1)
    assert len(claim(run.endpoints[0])) == 1
    Runner.objects.update(seen_at=timezone.now() - timedelta(minutes=1))
    assert len(claim(run.endpoints[0], owner="other")) == 1


def test_two_runs_share_an_endpoint_evenly(endpoint: Endpoint) -> None:
    corpus = small_corpus(6)
    first, second = started(corpus, endpoint), started(corpus, endpoint)
    claimed = claim(endpoint, 4)
    assert sorted(call.run_pk for call in claimed) == [first.pk, first.pk, second.pk, second.pk]


def test_an_answer_of_the_wrong_owner_or_attempt_changes_nothing(run: Run) -> None:
    (call,) = claim(run.endpoints[0], 1)
    assert answer(call, "late", owner="stranger") == []
    reply = Reply("late", "stop", "m", 1, 1, is_demo=False)
    assert ledger.settle("me", [Settlement(call.pk, call.attempt + 1, reply)]) == []
    assert Call.objects.get(pk=call.pk).state == Call.State.SENT


def test_a_reply_is_stored_before_it_is_read_and_read_once(run: Run) -> None:
    (call,) = claim(run.endpoints[0], 1)
    assert answer(call, f'{{"theme": "{THEME}"}}') == [call.pk]
    assert Call.objects.get(pk=call.pk).raw_reply
    assert reading.read_all() == 1
    assert reading.read_all() == 0
    assert run.backgrounds.get().theme == THEME
    assert run.calls.filter(stage="pair").count() == 1


def test_an_unusable_reply_is_repaired_twice_and_then_fails_under_its_name(run: Run) -> None:
    Endpoint.objects.update(max_in_flight=1)
    for repair in range(3):
        call = next(c for c in claim(run.endpoints[0], 1))
        row = Call.objects.get(pk=call.pk)
        if repair:
            assert "Nonsense!" in call.request.messages[-2]["content"]
        assert row.repair == repair
        Call.objects.filter(state="todo", repair=0).update(not_before=timezone.now() + timedelta(hours=1))
        answer(call, "Nonsense!")
        reading.read_all()
    states = list(run.calls.filter(dialogue=row.dialogue).order_by("repair").values_list("state", "outcome"))
    assert states == [("done", "unparsable"), ("done", "unparsable"), ("failed", "unparsable")]


@pytest.mark.parametrize("finish", ["length", "content_filter"])
def test_a_cut_or_filtered_reply_is_no_answer(run: Run, finish: str) -> None:
    (call,) = claim(run.endpoints[0], 1)
    reply = Reply(f'{{"theme": "{THEME}"}}', finish, "m", 1, 1, is_demo=False)
    ledger.settle("me", [Settlement(call.pk, call.attempt, reply)])
    reading.read_all()
    assert Call.objects.get(pk=call.pk).outcome in {"truncated", "filtered"}
    assert not run.backgrounds.exists()


def test_a_rate_limit_is_no_attempt_and_holds_every_worker_back(run: Run) -> None:
    first, _ = claim(run.endpoints[0], 2)
    row = trouble(first, Trouble.RATE_LIMITED, retry_after=30)
    assert (row.state, row.tries, row.refusals) == (Call.State.TODO, 0, 1)
    assert claim(run.endpoints[0], owner="other") == []
    later = timezone.now() + timedelta(seconds=31)
    Runner.beat("other", later)
    assert len(ledger.claim("other", run.endpoints[0].pk, 10, now=later)) == 2


def test_a_failing_provider_is_asked_five_times_with_growing_pauses(run: Run) -> None:
    Call.objects.exclude(pk=run.calls.first().pk).delete()
    now = timezone.now()
    pauses = []
    for _ in range(5):
        Runner.beat("me", now)
        (call,) = ledger.claim("me", run.endpoints[0].pk, 1, now=now)
        ledger.settle("me", [Settlement(call.pk, call.attempt, CallError(Trouble.PROVIDER, "HTTP 503"))], now=now)
        row = Call.objects.get(pk=call.pk)
        pauses.append(row.not_before - now)
        now += timedelta(minutes=5)
    assert row.state == Call.State.FAILED
    assert row.outcome == "provider"
    assert pauses[0] < pauses[1] < pauses[2] < pauses[3]


@pytest.mark.parametrize("kind", [Trouble.QUOTA, Trouble.AUTH])
def test_quota_and_key_troubles_pause_the_run_in_words_and_cost_no_attempt(run: Run, kind: Trouble) -> None:
    (call,) = claim(run.endpoints[0], 1)
    row = trouble(call, kind)
    run.refresh_from_db()
    assert run.state == Run.State.PAUSED
    assert "no luck" in run.state_reason
    assert (row.state, row.tries) == (Call.State.TODO, 0)
    assert lifecycle.start(run)
    assert len(claim(run.endpoints[0])) == 3


def test_a_rejected_request_fails_at_once(run: Run) -> None:
    (call,) = claim(run.endpoints[0], 1)
    row = trouble(call, Trouble.REJECTED)
    assert (row.state, row.outcome) == (Call.State.FAILED, "rejected")


def test_a_dead_workers_call_is_sent_again_where_that_is_free(run: Run) -> None:
    claim(run.endpoints[0], 1)
    after = timezone.now() + timedelta(minutes=10)
    assert ledger.recover() == 0
    assert ledger.recover(now=after) == 1
    assert run.calls.filter(state=Call.State.TODO).count() == 3


def test_a_dead_workers_call_waits_for_a_decision_where_it_may_have_been_paid() -> None:
    run = started(small_corpus(1), endpoint_at(NOWHERE, price_in=Decimal(2), price_out=Decimal(8)))
    (call,) = claim(run.endpoints[0], 1)
    worst = Call.objects.get(pk=call.pk).reserved
    ledger.recover(now=timezone.now() + timedelta(minutes=10))
    run.refresh_from_db()
    assert (run.state, run.spent, run.reserved) == (Run.State.PAUSED, worst, 0)
    assert "not answered" in run.state_reason
    assert retrying.decide(run, resend=True) == 1
    assert len(claim(run.endpoints[0])) == 1


def test_a_late_answer_to_an_undecided_call_is_taken() -> None:
    run = started(small_corpus(1), endpoint_at(NOWHERE, price_in=Decimal(2)))
    (call,) = claim(run.endpoints[0], 1)
    ledger.recover(now=timezone.now() + timedelta(minutes=10))
    assert answer(call, f'{{"theme": "{THEME}"}}') == [call.pk]
    run.refresh_from_db()
    assert run.spent == Decimal("0.002")


def test_a_run_that_waits_for_a_decision_goes_on_when_late_answers_leave_nothing_to_decide() -> None:
    run = started(small_corpus(2), endpoint_at(NOWHERE, price_in=Decimal(2)))
    first, last = claim(run.endpoints[0])
    ledger.recover(now=timezone.now() + timedelta(minutes=10))
    states = []
    for call in (first, last):
        reading.read_replies(answer(call, f'{{"theme": "{THEME}"}}'))
        run.refresh_from_db()
        states.append((run.state, run.pause_cause))
    assert states == [(Run.State.PAUSED, Run.PauseCause.DECISION), (Run.State.RUNNING, "")]


def test_whatever_use_an_endpoint_claims_is_booked_and_harms_no_other_answer() -> None:
    price = Decimal("999999.9999")
    run = started(small_corpus(2), endpoint_at(NOWHERE, price_in=price, price_out=price))
    calls = claim(run.endpoints[0])
    replies = [Reply(f'{{"theme": "{THEME}"}}', "stop", "m", used, used, is_demo=False) for used in (2**31 - 1, 10)]
    settled = [Settlement(call.pk, call.attempt, reply) for call, reply in zip(calls, replies, strict=True)]
    assert ledger.settle("me", settled) == [call.pk for call in calls]
    run.refresh_from_db()
    assert run.spent > 4_000_000_000
    assert run.tokens_spent == 2 * (2**31 - 1) + 2 * 10


def test_what_an_unanswered_attempt_may_have_cost_stays_booked_when_another_is_answered() -> None:
    endpoint = endpoint_at(NOWHERE, price_in=Decimal(2), price_out=Decimal(8))
    run = started(small_corpus(1), endpoint, ambiguous_policy=Run.AmbiguousPolicy.RESEND)
    claim(endpoint, 1)
    worst = Call.objects.get().reserved
    later = timezone.now() + timedelta(minutes=10)
    ledger.recover(now=later)
    Call.objects.update(not_before=later)
    Runner.beat("me", later)
    (again,) = ledger.claim("me", endpoint.pk, 1, now=later)
    assert answer(again, f'{{"theme": "{THEME}"}}') == [again.pk]
    run.refresh_from_db()
    answered = Decimal("0.002") + Decimal("0.0008")
    assert (run.spent, run.reserved) == (worst + answered, 0)
    assert Call.objects.get(pk=again.pk).cost == run.spent


def test_an_empty_answer_is_an_answer_and_is_not_tried_again(run: Run) -> None:
    Call.objects.exclude(pk=run.calls.first().pk).delete()
    for _ in range(3):
        (call,) = claim(run.endpoints[0])
        answer(call, "")
        reading.read_all()
    run.refresh_from_db()
    assert run.state == Run.State.FINISHED
    assert run.calls.filter(state=Call.State.FAILED, outcome="empty").count() == 1
    assert set(run.calls.values_list("attempt", flat=True)) == {1}


def test_a_run_whose_last_call_came_home_in_a_pause_finishes_by_itself(endpoint: Endpoint) -> None:
    run = started(small_corpus(1), endpoint, stages=[Stage.THEME])
    (call,) = claim(endpoint)
    lifecycle.pause(run)
    answer(call, f'{{"theme": "{THEME}"}}')
    reading.read_all()
    run.refresh_from_db()
    assert (run.state, run.state_reason) == (Run.State.FINISHED, "")
    assert not lifecycle.start(run)


def test_never_answered_are_the_troubles_that_fail_a_call() -> None:
    assert set(NEVER_ANSWERED) == {Trouble.PROVIDER, Trouble.REJECTED, Trouble.AMBIGUOUS}


def test_a_run_reserves_the_worst_case_and_stops_at_its_budget() -> None:
    endpoint = endpoint_at(NOWHERE, price_in=Decimal(1), price_out=Decimal(100))
    run = started(small_corpus(5), endpoint, budget=Decimal(1), max_tokens=4000)
    calls = claim(endpoint, 10)
    assert len(calls) == 2
    run.refresh_from_db()
    assert Decimal("0.8") < run.reserved <= run.budget
    for call in calls:
        answer(call, f'{{"theme": "{THEME}"}}')
    run.refresh_from_db()
    assert (run.reserved, run.spent) == (0, Decimal("0.022"))
    assert len(claim(endpoint, 10)) == 2
    Run.objects.update(spent=Decimal("0.99"), reserved=0, tokens_reserved=0)
    assert claim(endpoint, 10) == []
    run.refresh_from_db()
    assert run.state == Run.State.PAUSED
    assert "budget" in run.state_reason


def test_a_run_whose_calls_all_failed_is_finished_and_says_so(run: Run) -> None:
    for call in claim(run.endpoints[0]):
        trouble(call, Trouble.REJECTED)
    run.refresh_from_db()
    assert run.state == Run.State.FINISHED
    assert retrying.retry(run) == 3


def test_one_reply_that_cannot_be_stored_fails_alone(run: Run) -> None:
    alpha = run.calls.order_by("pk")[0].alpha
    pair = (
        '{"single_step": [[1,"a b"],[2,"c"],[1,"d"],[2,"e"]],'
        ' "step_by_step": [[1,"a"],[1,"b"],[2,"c"],[1,"d"],[2,"e"]]}'
    )
    for call in claim(run.endpoints[0]):
        answer(call, f'{{"theme": "{THEME}"}}')
    reading.read_all()
    add_dialogue(run.corpus, f"{alpha.key}.beta.run{run.pk}", alpha.transcript, "beta")
    for call in claim(run.endpoints[0]):
        answer(call, pair)
    assert reading.read_all() == 3
    outcomes = sorted(run.calls.filter(stage="pair").values_list("state", "outcome"))
    assert outcomes == [("done", "ok"), ("done", "ok"), ("failed", "not_stored")]


def test_a_run_of_which_no_request_can_be_made_is_paused_and_the_others_go_on(endpoint: Endpoint) -> None:
    corpus = small_corpus(3)
    broken, sound = started(corpus, endpoint), started(corpus, endpoint)
    unusable = Prompt.objects.create(stage="theme", version=9, system="", user="{dialogue}")
    broken.run_stages.filter(stage="theme").update(prompt=unusable)
    assert claim(endpoint, 4) == []
    broken.refresh_from_db()
    assert (broken.state, broken.pause_cause) == (Run.State.PAUSED, Run.PauseCause.REQUEST)
    assert "the prompt lacks {traits}" in broken.state_reason
    assert {call.run_pk for call in claim(endpoint, 4)} == {sound.pk}
    assert not broken.calls.exclude(state=Call.State.TODO).exists()
