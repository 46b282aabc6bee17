"""Retry failed calls, with other words if wanted, and decide about unanswered calls."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent
from generation.endpoints.client import Trouble
from generation.engine import ledger, lifecycle, reading, retrying
from generation.engine.requests import rebuild_messages
from generation.engine.retrying import Edit, EditError
from generation.models import Call, Endpoint, ExampleKind, ExampleSet, Prompt, Run, Runner, Stage
from generation.prompts import PromptText
from generation.watching.progress import progress_of
from tests.generation.calls import PAIR_REPLY, THEME_REPLY, answer, claim, trouble
from tests.generation.runs import NOWHERE, draft, endpoint_at, fetched, small_corpus, started

pytestmark = pytest.mark.django_db

OTHER_WORDS = PromptText("Task: theme", "Once more, shorter: {dialogue} {traits}")


def answered_badly(run: Run) -> None:
    """Every dialogue's theme is answered with nonsense until its repairs are used up."""
    for _ in range(3):
        for call in claim(run.endpoints[0]):
            answer(call, "Nonsense!")
        reading.read_all()


def test_an_answered_call_keeps_its_reply_and_a_new_one_takes_its_place(run: Run) -> None:
    answered_badly(run)
    assert fetched(run).state == Run.State.FINISHED
    assert retrying.retry(run) == 3
    assert fetched(run).state == Run.State.RUNNING
    old = run.calls.filter(state=Call.State.FAILED)
    assert set(old.values_list("replaced", "raw_reply")) == {(True, "Nonsense!")}
    new = run.calls.get(state=Call.State.TODO, dialogue=run.calls.first().dialogue)  # type: ignore[union-attr]
    assert (new.run_stage.edition, new.repair, new.tries) == (2, 0, 0)
    progress = progress_of(fetched(run))
    assert (progress.failed, progress.waiting, progress.causes) == (0, 3, {})
    before = rebuild_messages(old.get(dialogue=new.dialogue, repair=2))[0]
    assert rebuild_messages(new)[0].parameters["seed"] != before.parameters["seed"]

    for call in claim(run.endpoints[0]):
        answer(call, THEME_REPLY)
    reading.read_all()
    assert run.backgrounds.count() == 3
    assert run.calls.filter(stage="pair").count() == 3
    for call in old:
        assert rebuild_messages(call)[1]


def test_what_fails_again_is_asked_again_in_the_next_edition(run: Run) -> None:
    for edition in (2, 3):
        answered_badly(run)
        assert retrying.retry(fetched(run)) == 3
        assert [row.edition for row in fetched(run).rows_of(Stage.THEME)] == [edition]
    assert run.run_stages.filter(stage="theme").count() == 3


def test_an_older_failure_joins_the_edition_that_is_there(run: Run) -> None:
    answered_badly(run)
    first, second, third = run.calls.failed().order_by("pk")
    assert retrying.retry(run, calls=[first.pk]) == 1
    assert retrying.retry(run, calls=[second.pk, third.pk]) == 2
    assert run.run_stages.filter(stage="theme").count() == 2


def test_a_retry_may_bring_another_prompt_and_other_examples(run: Run) -> None:
    answered_badly(run)
    other = ExampleSet.objects.create(name="Mine", kind=ExampleKind.SINGLE_STEP)
    other.examples.create(position=1, messages=[[1, "one"], [2, "two"]])
    edits = {Stage.THEME: Edit(prompt=OTHER_WORDS), Stage.PAIR: Edit(sets={ExampleKind.SINGLE_STEP: other})}
    assert retrying.retry(run, edits=edits, by=None) == 3
    calls = claim(run.endpoints[0])
    assert "Once more, shorter" in calls[0].request.messages[-1]["content"]
    theme, pair = fetched(run).rows_of(Stage.THEME)[0], fetched(run).rows_of(Stage.PAIR)[0]
    assert (theme.edition, theme.prompt.user, theme.prompt.frozen_at is None) == (2, OTHER_WORDS.user, False)
    assert {used.name for used in pair.example_sets.all()} == {"Mine", "Stephanie examples"}
    answer(calls[0], THEME_REPLY)
    reading.read_all()
    assert run.calls.get(stage="pair").run_stage == pair
    assert AuditEvent.objects.get(verb=AuditVerb.RUN_RETRIED).detail["edited"] == ["pair", "theme"]


def test_the_same_words_make_no_new_prompt(run: Run) -> None:
    answered_badly(run)
    versions = Prompt.objects.count()
    same = Prompt.objects.get(stage="theme")
    retrying.retry(run, edits={Stage.THEME: Edit(prompt=PromptText(same.system, same.user))})
    assert Prompt.objects.count() == versions


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        ({Stage.THEME: Edit(prompt=PromptText("", "{dialogue}"))}, "lacks {traits}"),
        ({Stage.JUDGE: Edit(prompt=PromptText("", "x"))}, "no stage Judge"),
    ],
)
def test_an_edit_that_cannot_be_changes_nothing(run: Run, edit: dict[Stage, Edit], words: str) -> None:
    answered_badly(run)
    with pytest.raises(EditError, match=words):
        retrying.retry(run, edits=edit)
    assert run.calls.failed().count() == 3


def test_an_empty_example_set_is_refused(run: Run) -> None:
    empty = ExampleSet.objects.create(name="Empty", kind=ExampleKind.SINGLE_STEP)
    with pytest.raises(EditError, match="is empty"):
        retrying.retry(run, edits={Stage.PAIR: Edit(sets={ExampleKind.SINGLE_STEP: empty})})


def test_calls_are_retried_by_cause_and_one_by_one(run: Run) -> None:
    first, second, third = claim(run.endpoints[0])
    trouble(first, Trouble.REJECTED)
    trouble(second, Trouble.REJECTED)
    Call.objects.filter(pk=third.pk).update(tries=5)
    trouble(third, Trouble.PROVIDER)
    assert retrying.retry(run, cause="provider") == 1
    assert retrying.retry(run, calls=[first.pk]) == 1
    assert set(run.calls.failed().values_list("pk", flat=True)) == {second.pk}
    assert Call.objects.get(pk=third.pk).tries == 0
    assert retrying.retry(run, cause="no such cause") == 0


def test_a_stored_answer_that_could_not_be_read_is_not_paid_again_unless_named(run: Run) -> None:
    (call,) = claim(run.endpoints[0], 1)
    answer(call, THEME_REPLY)
    run.calls.filter(pk=call.pk).update(state=Call.State.FAILED, outcome="not_read")
    assert retrying.retry(run) == 0
    assert retrying.retry(run, cause="not_read") == 1


def test_a_retry_does_not_resume_a_run_that_a_person_paused(run: Run) -> None:
    (call,) = claim(run.endpoints[0], 1)
    trouble(call, Trouble.REJECTED)
    lifecycle.pause(run)
    assert retrying.retry(run) == 1
    assert fetched(run).state == Run.State.PAUSED


def held_run(size: int = 1) -> Run:
    """A run at a price, all of whose calls lost their worker."""
    run = started(small_corpus(size), endpoint_at(NOWHERE, price_in=Decimal(2), price_out=Decimal(8)))
    claim(run.endpoints[0])
    ledger.recover(now=timezone.now() + timedelta(minutes=10))
    return fetched(run)


def test_held_calls_are_decided_one_by_one() -> None:
    run = held_run(3)
    assert "3 calls were sent" in run.state_reason
    first, second, third = run.calls.order_by("pk").values_list("pk", flat=True)
    assert retrying.decide(run, resend=False, calls=[first]) == 1
    assert "2 calls were sent" in fetched(run).state_reason
    assert retrying.decide(run, resend=True, calls=[second]) == 1
    assert fetched(run).state == Run.State.RUNNING
    assert [call.pk for call in claim(run.endpoints[0])] == [second]
    assert Call.objects.get(pk=third).state == Call.State.AMBIGUOUS


def test_giving_up_on_the_last_held_call_ends_the_run() -> None:
    run = held_run()
    assert retrying.decide(run, resend=False) == 1
    assert (fetched(run).state, fetched(run).state_reason) == (Run.State.FINISHED, "")


def test_a_decision_does_not_resume_a_run_that_a_person_paused() -> None:
    run = started(small_corpus(2), endpoint_at(NOWHERE, price_in=Decimal(2)))
    claim(run.endpoints[0], 1)
    lifecycle.pause(run)
    ledger.recover(now=timezone.now() + timedelta(minutes=10))
    assert retrying.decide(run, resend=True) == 1
    assert (fetched(run).state, fetched(run).state_reason) == (Run.State.PAUSED, "Paused by hand.")


def test_a_late_answer_to_what_was_sent_again_changes_nothing() -> None:
    run = held_run()
    (first,) = run.calls.all()
    worst = first.cost
    retrying.decide(run, resend=True)
    (second,) = claim(run.endpoints[0])
    assert second.attempt > first.attempt
    late = ledger.Claimed(first.pk, run.pk, first.attempt, second.request)
    assert answer(late, THEME_REPLY) == []
    row = run.calls.get()
    assert (row.state, row.cost, row.reserved) == (Call.State.SENT, worst, worst)
    answer(second, THEME_REPLY)
    price = Decimal("0.002") + Decimal("0.0008")
    assert (run.calls.get().cost, fetched(run).spent, fetched(run).reserved) == (worst + price, worst + price, 0)


def test_a_late_answer_of_the_second_sending_leaves_what_the_first_may_have_cost() -> None:
    run = held_run()
    worst = run.calls.get().cost
    retrying.decide(run, resend=True)
    (second,) = claim(run.endpoints[0])
    ledger.recover(now=timezone.now() + timedelta(minutes=10))
    assert fetched(run).spent == 2 * worst
    answer(second, THEME_REPLY)
    price = Decimal("0.0028")
    assert (run.calls.get().cost, fetched(run).spent) == (worst + price, worst + price)


def test_a_refusal_that_comes_late_takes_back_what_was_booked_in_doubt() -> None:
    run = held_run()
    assert fetched(run).spent > 0
    (call,) = run.calls.all()
    late = ledger.Claimed(call.pk, run.pk, call.attempt, rebuild_messages(call)[0])
    row = trouble(late, Trouble.PROVIDER)
    assert (row.state, row.cost, row.reserved) == (Call.State.TODO, 0, 0)
    assert (fetched(run).spent, fetched(run).reserved, fetched(run).tokens_spent) == (0, 0, 0)


def test_a_budget_in_tokens_is_reserved_settled_and_stops_the_run() -> None:
    endpoint = endpoint_at(NOWHERE)
    plan = draft(small_corpus(5), endpoint, token_budget=6000, max_tokens=2000)
    lifecycle.start(plan)
    calls = claim(endpoint)
    assert len(calls) == 2
    assert 4000 < fetched(plan).tokens_reserved <= 6000
    for call in calls:
        answer(call, THEME_REPLY)
    assert (fetched(plan).tokens_spent, fetched(plan).tokens_reserved) == (2200, 0)
    Run.objects.update(tokens_spent=5900)
    assert claim(endpoint) == []
    assert fetched(plan).state == Run.State.PAUSED
    assert "5,900 are used" in fetched(plan).state_reason
    lifecycle.set_budget(plan, budget=None, token_budget=20_000)
    assert lifecycle.start(plan)
    assert len(claim(endpoint)) > 0


def test_rings_of_refusals_are_counted_and_no_tries(run: Run) -> None:
    now = timezone.now()
    for _ in range(7):
        Runner.beat("me", now)
        (call,) = ledger.claim("me", run.endpoints[0].pk, 1, now=now)
        row = trouble(call, Trouble.RATE_LIMITED, retry_after=1)
        now += timedelta(seconds=90)
        Endpoint.objects.update(blocked_until=None, in_flight_limit=None)
        Call.objects.exclude(pk=row.pk).update(not_before=now + timedelta(days=1))
    assert (row.refusals, row.tries, row.attempt) == (7, 0, 7)
    assert progress_of(fetched(run)).refusals == 7


def test_a_pair_that_failed_goes_on_to_the_newest_edition_of_its_split(run: Run) -> None:
    for call in claim(run.endpoints[0]):
        answer(call, THEME_REPLY)
    reading.read_all()
    calls = claim(run.endpoints[0])
    trouble(calls[0], Trouble.REJECTED)
    words = PromptText("Task: further-split", "Split: {pairs} {dialogue}")
    assert retrying.retry(run, edits={Stage.FURTHER_SPLIT: Edit(prompt=words)}) == 1
    answer(calls[1], PAIR_REPLY)
    reading.read_all()
    assert run.calls.get(stage="further_split").run_stage.prompt.user == words.user
