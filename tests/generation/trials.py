"""What tests of trials set up: γ to be split, a draft of pairs, and a trial that has run."""

from typing import Any

from dialogues.models import Corpus, Dialogue
from generation import example_sets
from generation.models import Endpoint, Example, ExampleKind, ExampleSet, Stage, Trial
from generation.prompts import PromptText
from generation.trials.trial_plan import TrialChoice, create_trial, start_trial
from tests.dialogues.rows import add_dialogue
from tests.generation.runs import work
from tests.generation.written_runs import GAMMA, STEPHANIE


def gammas(corpus: Corpus, each: int = 1) -> list[Dialogue]:
    """So many γ of every α of the corpus."""
    background: dict[str, Any] = {"theme": "A walk.", "traits_1": ["i walk ."], "traits_2": ["i sit ."]}
    return [
        add_dialogue(
            corpus, f"{alpha.key}.gamma{number or ''}", [*GAMMA, [1, f"and that was {number}, {alpha.key}"]], "gamma",
            origin=alpha, **background,
        )
        for alpha in corpus.dialogues.originals().order_by("pk")
        for number in range(each)
    ]  # fmt: skip


def draft_set(kind: ExampleKind = ExampleKind.FURTHER_SPLIT, name: str = "My draft") -> ExampleSet:
    """One example; nothing has used it."""
    example_sets.load_all()
    row: ExampleSet = ExampleSet.objects.create(name=name, kind=kind)
    after = STEPHANIE if kind == ExampleKind.FURTHER_SPLIT else None
    Example.objects.create(example_set=row, position=1, theme="A quokka.", messages=GAMMA, messages_after=after)
    return row


def choice(endpoint: Endpoint, dialogues: list[Dialogue], **fields: Any) -> TrialChoice:
    return TrialChoice(**{"stage": Stage.FURTHER_SPLIT, "endpoint": endpoint, "dialogues": dialogues, **fields})


def fetched(trial: Trial) -> Trial:
    return Trial.objects.with_arms().get(pk=trial.pk)


def wording(stage: str, more: str) -> PromptText:
    """The newest prompt of a stage and these words."""
    newest = example_sets.newest_prompts([Stage(stage)])[0]
    return PromptText(newest.system, newest.user + more)


def asked(endpoint: Endpoint, dialogues: list[Dialogue], **fields: Any) -> Trial:
    """A trial that has started."""
    trial = fetched(create_trial(choice(endpoint, dialogues, **fields)))
    start_trial(trial)
    return fetched(trial)


def tried(endpoint: Endpoint, dialogues: list[Dialogue], **fields: Any) -> Trial:
    """A trial that has run to its end."""
    trial = asked(endpoint, dialogues, **fields)
    if trial.own_run:
        work(trial.own_run)
    return fetched(trial)
