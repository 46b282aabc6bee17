"""What each filter of a training set drops, in their order."""

from contextlib import suppress

import pytest

from dialogues.models import Corpus, Dialogue
from generation.models import Call, Example, ExampleSet, Output, Run, RunStage, Stage
from generation.training import filters
from generation.training.building import build
from generation.training.choosing import choose
from generation.training.recipe import RecipeError
from tests.dialogues.rows import add_dialogue
from tests.generation.judged import family, judge, judge_run
from tests.generation.test_training_building import families, recipe_of

pytestmark = pytest.mark.django_db


def left(corpus: Corpus, **choices: object) -> list[str]:
    """The keys that a recipe leaves."""
    return [one.key for one in choose(recipe_of(corpus, **choices), corpus).planned]


def dropped(corpus: Corpus, values: dict[str, object], **choices: object) -> dict[str, int]:
    return {step.name: step.dropped for step in choose(recipe_of(corpus, filters=values, **choices), corpus).steps}


def written(dialogue: Dialogue, run: Run, stage: RunStage, kept: float | None = None) -> None:
    """As if this stage of a run had written it."""
    call = Call.objects.create(
        run=run, run_stage=stage, dialogue=dialogue, alpha_id=dialogue.origin_id, stage=stage.stage,
        state=Call.State.DONE, outcome="ok", not_before=run.created_at,
    )  # fmt: skip
    Output.objects.create(dialogue=dialogue, call=call, version=dialogue.version, kept=kept)


def test_messages_and_turns_have_a_least_and_a_most() -> None:
    corpus = families(3)
    for number, size in enumerate((2, 4, 6)):
        add_dialogue(corpus, f"long{number}", [[1 + place % 2, "yes"] for place in range(size)], "stephanie")
    values = {"fewest_messages": 3, "most_messages": 5, "most_turns": 4, "fewest_turns": 4}
    assert dropped(corpus, values) == {"fewest_messages": 1, "most_messages": 1, "fewest_turns": 0, "most_turns": 0}
    assert left(corpus, filters={"most_messages": 2}) == ["long0"]


def test_a_judges_last_word_counts_and_judges_are_averaged() -> None:
    corpus = families(3)
    rows = list(corpus.dialogues.filter(version="stephanie").order_by("key"))
    run = judge_run(corpus, "strict", "mild")
    for row, first, second in zip(rows, (10, 80, 50), (90, 80, 20), strict=True):
        judge(run, row, first, branch=0)
        judge(run, row, second, branch=1)
    again = judge_run(corpus, "strict", name="Again")
    judge(again, rows[0], 70)
    score = {"metric": "interesting", "at_least": 80}
    # 70 replaces the strict judge's 10: (70 + 90) / 2.
    assert left(corpus, filters={"judge": score}) == [rows[0].key, rows[1].key]
    assert left(corpus, filters={"judge": {"metric": "interesting", "at_most": 40}}) == [rows[2].key]
    assert dropped(corpus, {"judge": score}, versions=("stephanie", "gamma")) == {"judge": 4}
    with pytest.raises(RecipeError, match=r"no score for 'loud'\. Scored are: engaging, "):
        left(corpus, filters={"judge": {"metric": "loud", "at_least": 1}})


def test_the_judges_winner_is_preferred_to_the_loser_of_its_background_by_a_margin() -> None:
    corpus = families(4)
    run = judge_run(corpus, "strict")
    scores = {"beta": (10, 50, 60, 30), "gamma": (90, 50, 65, 30), "stephanie": (40, 50, 10, 80)}
    for version, given in scores.items():
        for row, score in zip(corpus.dialogues.filter(version=version).order_by("key"), given, strict=True):
            judge(run, row, score)
    choices = {"kind": "preferences", "preferred_by": "judge", "metric": "interesting", "margin": 50}
    planned = choose(recipe_of(corpus, versions=tuple(scores), **choices), corpus)
    keys = dict(corpus.dialogues.values_list("pk", "key"))
    assert [(one.key, keys[one.worse or 0]) for one in planned.planned] == [
        ("d0-gpt-gamma", "d0-gpt-beta"), ("d2-gpt-gamma", "d2-gpt-stephanie"), ("d3-gpt-stephanie", "d3-gpt-beta"),
    ]  # fmt: skip
    assert planned.steps[-1].dropped == 9


def test_a_pair_takes_the_worse_dialogue_of_the_same_run() -> None:
    corpus = Corpus.objects.create(name="Two runs")
    run = judge_run(corpus, "first", "second")
    first, second = run.run_stages.order_by("branch")
    found = family(corpus, 1, {"a": ("beta", "stephanie"), "b": ("beta", "stephanie")})
    for writer, stage in (("a", first), ("b", second)):
        for version in ("beta", "stephanie"):
            written(found[writer, version], run, stage)
    planned = choose(recipe_of(corpus, kind="preferences"), corpus).planned
    assert {(one.dialogue, one.worse) for one in planned} == {
        (found[writer, "stephanie"].pk, found[writer, "beta"].pk) for writer in ("a", "b")
    }


def test_words_kept_and_shown_examples_are_known_by_the_run() -> None:
    corpus = families(4)
    run = judge_run(corpus, "writer")
    stage = run.run_stages.get()
    rows = list(corpus.dialogues.filter(version="stephanie").order_by("key"))
    for row, kept in zip(rows[:3], (0.95, 0.7, None), strict=True):
        written(row, run, stage, kept)
    assert left(corpus, filters={"kept": 0.9}) == [rows[0].key, rows[2].key, rows[3].key]
    examples = ExampleSet.objects.create(name="Shown", kind="step_by_step")
    for place, row in enumerate((rows[0], rows[3])):
        Example.objects.create(
            example_set=examples, position=place, messages=row.messages, dialogue=row.origin, theme="x"
        )
    RunStage.objects.filter(pk=stage.pk).update(stage=Stage.PAIR)
    Run.objects.filter(pk=run.pk).update(stages=[Stage.PAIR])
    stage.example_sets.add(examples)
    # The run did not write the fourth, which came in a file.
    assert left(corpus, filters={"shown": True}) == [rows[1].key, rows[2].key, rows[3].key]


def test_one_dialogue_of_each_background_is_the_last_that_the_other_filters_leave() -> None:
    corpus = Corpus.objects.create(name="Often")
    for number in range(3):
        found = family(corpus, number, {"old": ("stephanie",), "new": ("stephanie",)})
        Dialogue.objects.filter(pk=found["new", "stephanie"].pk, key__startswith="d1").update(message_count=4)
    assert left(corpus, filters={"once": True}) == [f"d{number}-new-stephanie" for number in range(3)]
    filtered = left(corpus, filters={"once": True, "fewest_messages": 5})
    assert filtered == ["d0-new-stephanie", "d1-old-stephanie", "d2-new-stephanie"]


def test_an_empty_filter_is_no_filter() -> None:
    corpus = families(3)
    assert dropped(corpus, {"once": False, "unrated": None}) == {}
    assert build(recipe_of(corpus, filters={"once": False}), "Set", by=None).counts["filters"] == []


ODD = (True, 3, 0.5, "natural:1", {"metric": "natural", "at_least": 1}, [], "", {"metric": "\0"})


@pytest.mark.parametrize("one", [*filters.in_order()], ids=lambda one: one.name)
def test_a_filter_takes_what_a_stranger_writes_for_it_or_refuses_it(one: filters.TrainingFilter) -> None:
    corpus = families(3)
    for given in ODD:
        with suppress(RecipeError):
            assert choose(recipe_of(corpus, filters={one.name: given}), corpus).candidates == 3
