"""Dialogues that are shown as examples are not what a run or a trial is tested on, unless somebody wants that."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent, Corpus, Dialogue
from generation import example_sets
from generation.commandline.trial_commands import _dialogues
from generation.models import Endpoint, Example, ExampleKind, ExampleSet, Stage
from generation.plans.choosing import Selection, shown_backgrounds, shown_in
from generation.plans.run_plan import Choice, PlanError, create_run
from generation.trials.forms import Target, TrialForm
from generation.trials.trial_plan import TrialChoice, create_trial
from tests.dialogues.rows import add_dialogue
from tests.generation.written_runs import written_run

pytestmark = pytest.mark.django_db
ALPHAS = 8


@pytest.fixture
def corpus() -> Corpus:
    corpus: Corpus = Corpus.objects.create(name="Chats")
    for number in range(ALPHAS):
        messages = [[1, f"hello {number}"], [2, "hi"]]
        background: dict[str, Any] = {"theme": "Two strangers meet.", "traits_1": ["i walk"], "traits_2": ["i run"]}
        add_dialogue(corpus, f"d{number}", messages, **background)
    example_sets.load_all()
    return corpus


@pytest.fixture
def endpoint() -> Endpoint:
    made: Endpoint = Endpoint.objects.create(name="Demo", base_url="https://models.example/v1", model="m")
    return made


def set_of(*dialogues: Dialogue, kind: str = "step_by_step") -> ExampleSet:
    row: ExampleSet = ExampleSet.objects.create(name="Ours", kind=kind)
    for position, dialogue in enumerate(dialogues, 1):
        Example.objects.create(
            example_set=row, position=position, messages=dialogue.messages, source="corpus", dialogue=dialogue
        )
    return row


def alphas(corpus: Corpus, *numbers: int) -> list[Dialogue]:
    return [corpus.dialogues.get(key=f"d{number}") for number in numbers]


def choice(corpus: Corpus, endpoint: Endpoint, own: ExampleSet, **selection: object) -> Choice:
    return Choice(
        "Run", corpus, {stage: [endpoint] for stage in (Stage.THEME, Stage.PAIR)},
        selection=Selection(**selection),  # type: ignore[arg-type]
        stages=[Stage.THEME, Stage.PAIR], sets={ExampleKind(own.kind): own},
    )  # fmt: skip


def keys(dialogues: list[Dialogue]) -> list[str]:
    return [dialogue.key for dialogue in dialogues]


def test_a_run_draws_its_sample_from_what_it_does_not_show(corpus: Corpus, endpoint: Endpoint) -> None:
    own = set_of(*alphas(corpus, 0, 1, 2, 3))
    for seed in range(5):
        run = create_run(Choice(**{**vars_of(choice(corpus, endpoint, own, sample=4)), "seed": seed}))
        chosen = set(Dialogue.objects.filter(chosen_by__run=run).values_list("key", flat=True))
        assert chosen == {"d4", "d5", "d6", "d7"}
        assert (run.dialogue_count, run.examples_left_out, shown_in(run)) == (4, 4, [])
    told = AuditEvent.objects.filter(verb=AuditVerb.RUN_CREATED).first()
    assert told is not None
    assert told.detail["examples_left_out"] == [row.pk for row in alphas(corpus, 0, 1, 2, 3)]


def vars_of(plan: Choice) -> dict[str, object]:
    return {name: getattr(plan, name) for name in Choice.__dataclass_fields__}


def test_who_wants_them_gets_them_with_a_warning(researcher: Client, corpus: Corpus, endpoint: Endpoint) -> None:
    own = set_of(*alphas(corpus, 5, 2))
    run = create_run(choice(corpus, endpoint, own, with_examples=True))
    assert (run.dialogue_count, run.examples_left_out, keys(shown_in(run))) == (ALPHAS, 0, ["d2", "d5"])
    page = researcher.get(run.get_absolute_url()).content.decode()
    assert "2 of 8 dialogues are among the examples shown" in page
    without = create_run(choice(corpus, endpoint, own))
    page = researcher.get(without.get_absolute_url()).content.decode()
    assert "among the examples shown" not in page
    assert "2 dialogues, because they are among these examples" in page
    answer = researcher.get(f"/api/runs/{without.pk}/").json()
    assert answer["examples_left_out"] == 2
    assert answer["run_stages"][1]["examples"] == ["single_step: Stephanie examples v1", "step_by_step: Ours v1"]
    assert researcher.get(f"/api/runs/{run.pk}/estimate/").json()["shown_as_examples"] == ["d2", "d5"]


def test_a_run_on_its_examples_alone_is_refused(corpus: Corpus, endpoint: Endpoint) -> None:
    own = set_of(*alphas(corpus, *range(ALPHAS)))
    with pytest.raises(PlanError, match="Every dialogue that fits is among the examples"):
        create_run(choice(corpus, endpoint, own))


def test_what_was_written_from_a_background_and_the_same_words_count_as_it(corpus: Corpus, endpoint: Endpoint) -> None:
    written_run(corpus, endpoint)
    gamma = corpus.dialogues.of_version("gamma").get(origin__key="d1")
    [same] = alphas(corpus, 6)
    own = set_of(gamma)
    Example.objects.create(example_set=own, position=2, messages=same.messages)
    # Said almost the same, which is another dialogue.
    Example.objects.create(example_set=own, position=3, messages=[*alphas(corpus, 7)[0].messages, [1, "bye"]])
    # What a run writes here is the same for every background, so only the link can tell.
    corpus.dialogues.filter(origin__isnull=False).exclude(pk=gamma.pk).update(messages=[[1, "else"], [2, "yes"]])
    assert shown_backgrounds(corpus, [own]) == {row.pk for row in alphas(corpus, 1, 6)}


def test_a_trial_ticks_backgrounds_that_its_set_does_not_show(corpus: Corpus, endpoint: Endpoint) -> None:
    own = set_of(*alphas(corpus, 0, 1))
    form = TrialForm(Target.of_set(own), initial={"corpus": corpus.pk})
    assert form.initial["dialogues"] == [str(row.pk) for row in alphas(corpus, 2, 3, 4, 5, 6)]
    labels = dict(form.fields["dialogues"].choices)  # type: ignore[attr-defined]
    marked = [key for key, label in labels.items() if label.endswith("(shown as an example)")]
    assert marked == [str(row.pk) for row in alphas(corpus, 0, 1)]
    assert keys(_dialogues(corpus, Stage.PAIR, [], own)) == ["d2", "d3", "d4", "d5", "d6"]


def test_a_trial_on_its_own_examples_says_so(researcher: Client, corpus: Corpus, endpoint: Endpoint) -> None:
    own = set_of(*alphas(corpus, 0, 1))
    trial = create_trial(TrialChoice(Stage.PAIR, endpoint, alphas(corpus, 1, 2), example_set=own))
    assert "1 of 2 dialogues are among the examples shown" in researcher.get(trial.get_absolute_url()).content.decode()
    told = AuditEvent.objects.get(verb=AuditVerb.TRIAL_CREATED)
    assert told.detail["shown_as_examples"] == 1


def test_the_command_line_names_the_sets_and_what_was_left_out(corpus: Corpus, endpoint: Endpoint) -> None:
    own = set_of(*alphas(corpus, 0, 1))
    plan = ["run", "create", "--corpus", "Chats", "--writer", "Demo", "--set", f"step_by_step={own.pk}"]
    out = StringIO()
    call_command(*plan, stdout=out)
    assert f"step_by_step Ours v1 (no. {own.pk})" in out.getvalue()
    assert "Left out, because they are among these examples: 2 dialogues." in out.getvalue()
    out = StringIO()
    call_command(*plan, "--with-examples", stdout=out)
    assert "Warning: 2 of the dialogues are among these examples (d0, d1)" in out.getvalue()
