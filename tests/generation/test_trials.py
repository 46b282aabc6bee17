"""A trial: a draft set or wording beside what runs use now, on copies, paid once, leading back to its exact text."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier

import pytest
from django.db import connections
from django.db.models import Sum

from annotation.roles import Role
from dialogues.models import Corpus, Dialogue
from generation import example_sets
from generation.engine.requests import rebuild_messages, with_stages
from generation.models import Background, Call, Endpoint, Example, ExampleKind, ExampleSet, Prompt, Run, Stage, Trial
from generation.plans.estimating import estimate
from generation.plans.run_plan import PlanError
from generation.prompts import PromptText
from generation.trials.copies import as_tried
from generation.trials.results import results_of
from generation.trials.trial_plan import create_trial, discard_trial, start_trial, stop_trial
from tests.demo_server import DemoServer
from tests.generation.runs import endpoint_at, small_corpus, started, work
from tests.generation.trials import choice, draft_set, fetched, gammas, tried, wording
from tests.people import make_user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def endpoint(demo_model: DemoServer) -> Endpoint:
    example_sets.load_all()
    return endpoint_at(demo_model.base_url, price_in=Decimal(2), price_out=Decimal(8))


def freeze(kind: ExampleKind) -> ExampleSet:
    """The newest set, as after its first run."""
    row = example_sets.newest_sets()[kind]
    row.freeze()
    return row


def test_both_arms_split_the_same_gammas_side_by_side(endpoint: Endpoint) -> None:
    current = freeze(ExampleKind.FURTHER_SPLIT)
    draft = draft_set()
    trial = tried(endpoint, gammas(small_corpus(3)), example_set=draft)
    assert trial.state == "finished"
    assert [arm.get_name_display() for arm in trial.arms.all()] == ["Tried", "Current"]
    shown = [list(arm.run_stage.example_sets.all()) for arm in trial.arms.all()]
    assert shown == [[draft.snapshots.get()], [current]]
    found = results_of(trial)
    assert (found.came, found.wanted, found.open, found.failed) == (6, 6, 0, 0)
    for row in found.rows:
        for answer in row.answers:
            dialogue = answer.written[0].dialogue
            assert dialogue is not None
            assert (dialogue.parent, dialogue.origin) == (row.subject, row.subject.origin)
            assert set(answer.written[0].figures) == {"messages", "words", "acmc", "longest", "kept", "invented"}


def test_a_draft_stays_a_draft_and_its_outputs_lead_to_the_text_that_was_tried(endpoint: Endpoint) -> None:
    freeze(ExampleKind.FURTHER_SPLIT)
    draft = draft_set()
    trial = tried(endpoint, gammas(small_corpus(1)), example_set=draft)
    example = draft.examples.get()
    example.theme = "Another animal."
    example.save(update_fields=["theme"])
    draft.refresh_from_db()
    assert draft.frozen_at is None
    call = results_of(trial).rows[0].answers[0].written[0].call
    assert call is not None
    call = Call.objects.select_related("dialogue", "alpha").get(pk=call.pk)
    with_stages([call])
    request, proven = rebuild_messages(call)
    assert proven
    assert call.request_sha256
    told = str(request.messages)
    assert "A quokka." in told
    assert "Another animal." not in told


def test_a_draft_is_copied_once_until_it_changes() -> None:
    draft = draft_set(name="x" * 120)
    first = as_tried(draft)
    assert as_tried(draft) == first
    assert first.frozen_at is not None
    Example.objects.filter(example_set=draft).update(note="changed")
    second = as_tried(draft)
    assert second != first
    assert [row.version for row in (first, second)] == [1, 2]
    assert set(ExampleSet.objects.listed()) & {first, second} == set()
    assert as_tried(second) == second


def test_the_same_trial_again_is_answered_from_before_and_costs_nothing(endpoint: Endpoint) -> None:
    freeze(ExampleKind.FURTHER_SPLIT)
    draft, given = draft_set(), gammas(small_corpus(2))
    first = tried(endpoint, given, example_set=draft)
    calls = Call.objects.count()
    again = fetched(create_trial(choice(endpoint, given, example_set=draft)))
    assert again.own_run is None
    assert [arm.reused for arm in again.arms.all()] == [True, True]
    assert results_of(again).came == results_of(first).came == 4
    assert not start_trial(again)
    assert Call.objects.count() == calls
    # A note is not shown to models.
    Example.objects.filter(example_set=draft).update(note="For us.")
    assert fetched(create_trial(choice(endpoint, given, example_set=draft))).own_run is None
    # Only the side that changed is asked.
    Example.objects.filter(example_set=draft).update(theme="A wallaby.")
    changed = tried(endpoint, given, example_set=draft)
    assert [arm.reused for arm in changed.arms.all()] == [False, True]
    assert Call.objects.count() == calls + 2
    assert results_of(changed).came == 4
    # And whoever wants to is asked again.
    assert fetched(create_trial(choice(endpoint, given, example_set=draft, again=True))).own_run is not None


def test_what_failed_before_is_not_taken_for_an_answer(endpoint: Endpoint) -> None:
    freeze(ExampleKind.FURTHER_SPLIT)
    draft, given = draft_set(), gammas(small_corpus(1))
    trial = tried(endpoint, given, example_set=draft)
    arm = trial.arms.all()[0]
    Dialogue.objects.filter(output__call__run_stage=arm.run_stage).delete()
    again = fetched(create_trial(choice(endpoint, given, example_set=draft)))
    assert [arm.reused for arm in again.arms.all()] == [False, True]


def test_what_was_asked_again_in_other_words_or_read_by_another_threshold_is_not_taken(endpoint: Endpoint) -> None:
    freeze(ExampleKind.FURTHER_SPLIT)
    draft, given = draft_set(), gammas(small_corpus(1))
    trial = tried(endpoint, given, example_set=draft)
    trial.arms.all()[0].run.run_stages.filter(branch=0).update(edition=2)
    again = fetched(create_trial(choice(endpoint, given, example_set=draft)))
    assert [arm.reused for arm in again.arms.all()] == [False, True]
    Run.objects.update(keep_share=0.5)
    again = fetched(create_trial(choice(endpoint, given, example_set=draft)))
    assert [arm.reused for arm in again.arms.all()] == [False, False]


def test_arms_cost_what_the_ledger_says(endpoint: Endpoint) -> None:
    freeze(ExampleKind.FURTHER_SPLIT)
    trial = tried(endpoint, gammas(small_corpus(2)), example_set=draft_set())
    for place, arm in enumerate(trial.arms.all()):
        calls = Call.objects.filter(run=arm.run, run_stage__branch=arm.branch)
        paid = calls.aggregate(cost=Sum("cost"), read=Sum("prompt_tokens"), written=Sum("completion_tokens"))
        answers = [row.answers[place] for row in results_of(trial).rows]
        assert sum(answer.cost for answer in answers) == paid["cost"] > 0
        assert sum(answer.tokens for answer in answers) == paid["read"] + paid["written"]
    assert trial.own_run is not None
    assert trial.own_run.spent == sum(call.cost for call in Call.objects.all())


def test_what_it_will_take_is_known_before(endpoint: Endpoint) -> None:
    freeze(ExampleKind.FURTHER_SPLIT)
    trial = fetched(create_trial(choice(endpoint, gammas(small_corpus(2)), example_set=draft_set())))
    assert trial.state == "draft"
    assert not Call.objects.exists()
    run = Run.objects.with_stages().get(pk=trial.arms.all()[0].run_id)
    assert [(row.calls, row.cost > 0) for row in estimate(run)] == [(2, True), (2, True)]


@pytest.mark.parametrize("kind", [ExampleKind.SINGLE_STEP, ExampleKind.STEP_BY_STEP])
def test_a_pair_is_tried_on_one_theme_for_both_arms(endpoint: Endpoint, kind: ExampleKind) -> None:
    for each in ExampleKind:
        freeze(each)
    corpus = small_corpus(2)
    trial = tried(endpoint, list(corpus.dialogues.all()), stage=Stage.PAIR, example_set=draft_set(kind))
    assert trial.own_run is not None
    assert trial.own_run.stages == ["theme", "pair"]
    assert Background.objects.count() == 2
    found = results_of(trial)
    assert (found.came, found.wanted) == (4, 4)
    first = "beta" if kind == ExampleKind.SINGLE_STEP else "gamma"
    assert found.rows[0].answers[0].written[0].version.slug == first
    assert found.theme_tokens > 0
    assert all(row.theme for row in found.rows)
    # The next trial takes the theme that is there now, and the side that has not changed.
    again = tried(endpoint, list(corpus.dialogues.all()), stage=Stage.PAIR, example_set=draft_set(kind, "Other"))
    assert again.own_run is None or again.own_run.stages == ["pair"]
    assert Background.objects.count() == 2


def test_the_newest_theme_of_an_earlier_run_is_taken(endpoint: Endpoint) -> None:
    corpus = small_corpus(2)
    run = started(corpus, endpoint, stages=["theme", "pair"])
    work(run)
    trial = tried(
        endpoint, list(corpus.dialogues.originals()), stage=Stage.PAIR, example_set=draft_set(ExampleKind.STEP_BY_STEP)
    )
    assert trial.own_run is not None
    assert trial.own_run.stages == ["pair"]
    assert {row.theme for row in results_of(trial).rows} == set(Background.objects.values_list("theme", flat=True))


def test_a_wording_is_tried_without_becoming_a_version(endpoint: Endpoint) -> None:
    newest = example_sets.newest_prompts([Stage.FURTHER_SPLIT])
    text = wording(Stage.FURTHER_SPLIT, "\nBe brief.")
    trial = tried(endpoint, gammas(small_corpus(1)), prompt=text)
    assert trial.prompt is not None
    assert (trial.prompt.is_trial, trial.prompt.text) == (True, text)
    assert example_sets.newest_prompts([Stage.FURTHER_SPLIT]) == newest
    assert [arm.run_stage.prompt for arm in trial.arms.all()] == [trial.prompt, newest[0]]
    kept = example_sets.prompt_of(Stage.FURTHER_SPLIT, text)
    assert (kept.is_trial, kept.version) == (False, newest[0].version + 1)
    # Kept or not, the words are the same, so the answer is there.
    assert fetched(create_trial(choice(endpoint, list(_sources(trial)), prompt=newest[0].text))).arms.count()


def _sources(trial: Trial) -> list[Dialogue]:
    return [subject.source for subject in trial.subjects.all() if subject.source]


def test_trials_leave_the_corpus_and_its_counts_as_they_were(endpoint: Endpoint) -> None:
    corpus = small_corpus(2)
    given = gammas(corpus)
    before = list(corpus.dialogues.values_list("pk", flat=True))
    trial = tried(endpoint, given, example_set=draft_set())
    assert list(corpus.dialogues.values_list("pk", flat=True)) == before
    assert list(Corpus.objects.listed()) == [corpus]
    assert not Run.objects.listed().exists()
    assert {subject.dialogue.corpus.is_scratch for subject in trial.subjects.all()} == {True}
    # A copy is made once.
    copies = Dialogue.objects.filter(corpus__is_scratch=True, output__isnull=True).count()
    tried(endpoint, given, example_set=draft_set(name="Another"))
    assert Dialogue.objects.filter(corpus__is_scratch=True, output__isnull=True).count() == copies == 4


def test_without_a_set_in_use_another_draft_stands_beside_and_stays_a_draft(endpoint: Endpoint) -> None:
    other = example_sets.newest_sets()[ExampleKind.FURTHER_SPLIT]
    trial = tried(endpoint, gammas(small_corpus(1)), example_set=draft_set())
    assert [used.snapshot_of for used in trial.arms.all()[1].run_stage.example_sets.all()] == [other]
    other.refresh_from_db()
    assert other.frozen_at is None


def test_the_set_in_use_stands_alone_with_the_reason(endpoint: Endpoint) -> None:
    trial = tried(endpoint, gammas(small_corpus(1)), example_set=freeze(ExampleKind.FURTHER_SPLIT))
    assert trial.arms.count() == 1
    assert "what runs use now" in trial.why_alone
    ExampleSet.objects.filter(kind=ExampleKind.FURTHER_SPLIT, frozen_at=None).delete()


def test_one_filling_in_of_the_form_makes_one_trial(endpoint: Endpoint) -> None:
    given, draft = gammas(small_corpus(1)), draft_set()
    made = [create_trial(choice(endpoint, given, example_set=draft, once="this form")) for _ in range(2)]
    assert made[0] == made[1]
    assert Trial.objects.count() == Run.objects.count() == 1


def test_two_clicks_at_the_same_moment_make_one_trial(endpoint: Endpoint) -> None:
    given, draft = gammas(small_corpus(2)), draft_set()
    together = Barrier(2)

    def click() -> int:
        try:
            together.wait()
            return create_trial(choice(endpoint, given, example_set=draft, once="this form"), by=clicker).pk
        finally:
            connections.close_all()

    clicker = make_user(Role.RESEARCHER)
    with ThreadPoolExecutor(2) as pool:
        made = [click.result() for click in [pool.submit(click), pool.submit(click)]]
    assert made[0] == made[1]
    assert Trial.objects.count() == Run.objects.count() == draft.snapshots.count() == 1


def test_a_trial_is_stopped_and_goes_on(endpoint: Endpoint) -> None:
    trial = fetched(create_trial(choice(endpoint, gammas(small_corpus(1)), example_set=draft_set())))
    assert start_trial(trial)
    assert stop_trial(fetched(trial))
    assert fetched(trial).state == "paused"
    assert not discard_trial(fetched(trial))
    assert start_trial(fetched(trial))
    run = fetched(trial).own_run
    assert run is not None
    work(run)
    assert fetched(trial).state == "finished"


def test_a_trial_of_which_nothing_was_sent_can_be_thrown_away(endpoint: Endpoint) -> None:
    trial = fetched(create_trial(choice(endpoint, gammas(small_corpus(1)), example_set=draft_set())))
    assert discard_trial(trial)
    assert not Trial.objects.exists()
    assert not Run.objects.exists()


def test_a_failure_is_named_with_its_call(endpoint: Endpoint) -> None:
    trial = tried(endpoint, gammas(small_corpus(1)), example_set=draft_set())
    call = results_of(trial).rows[0].answers[0].written[0].call
    assert call is not None
    Dialogue.objects.filter(output__call=call).delete()
    Call.objects.filter(pk=call.pk).update(state="failed", outcome="lost_content")
    found = results_of(fetched(trial))
    one = found.rows[0].answers[0].written[0]
    assert (one.failed, one.call, found.failed) == (True, call, 1)
    assert one.why.startswith("Failed: ")
    # The difference is over those that both have.
    assert {mean.pairs for mean in found.means} == {0}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("nothing", "already use this wording"),
        ("no dialogue", "one to 5"),
        ("six", "one to 5"),
        ("another kind", "not made for"),
        ("empty", "is empty"),
        ("placeholder", "lacks"),
        ("judge", "writes no dialogue"),
    ],
)
def test_what_cannot_be_tried_is_refused_with_the_reason(endpoint: Endpoint, wrong: str, words: str) -> None:
    given, draft = gammas(small_corpus(6)), draft_set()
    fields = {
        "nothing": {"dialogues": given[:1], "prompt": wording(Stage.FURTHER_SPLIT, "")},
        "no dialogue": {"dialogues": [], "example_set": draft},
        "six": {"dialogues": given, "example_set": draft},
        "another kind": {"dialogues": given[:1], "example_set": draft_set(ExampleKind.SINGLE_STEP)},
        "empty": {"dialogues": given[:1], "example_set": ExampleSet.objects.create(name="E", kind="further_split")},
        "placeholder": {"dialogues": given[:1], "prompt": PromptText("", "Split this.")},
        "judge": {"dialogues": given[:1], "example_set": draft, "stage": Stage.JUDGE},
    }[wrong]
    with pytest.raises(PlanError, match=words):
        create_trial(choice(endpoint, **fields))  # type: ignore[arg-type]
    assert not Trial.objects.exists()
    assert not Prompt.objects.filter(is_trial=True).exists()
