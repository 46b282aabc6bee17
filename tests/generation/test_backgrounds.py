"""Whose theme and whose characters stand beside a dialogue: the order of preference, place by place."""

from typing import Any

from django.utils import timezone

from dialogues.models import Corpus, Dialogue
from generation.background import example_background, inherited_backgrounds, study_background, theme_donor
from generation.engine.requests import subjects_of
from generation.models import Background, Call, Endpoint, Output, Run, RunDialogue, RunStage, Stage
from generation.prompts import Background as Shown
from tests.generation.judged import judge_run, row


def test_a_judge_sees_a_dialogues_own_theme_before_its_familys(corpus: Corpus) -> None:
    alpha = row(corpus, "a", "alpha", 1, theme="Of the original.")
    beta = row(corpus, "b", "beta", 1, origin=alpha, theme="Of the first version.")
    gamma = row(corpus, "c", "gamma", 1, origin=alpha)
    found = inherited_backgrounds([alpha.pk, beta.pk, gamma.pk])
    assert [found[one.pk].theme for one in (alpha, beta, gamma)] == [
        "Of the original.", "Of the first version.", "Of the original.",
    ]  # fmt: skip


def test_without_a_theme_of_its_own_or_its_originals_the_oldest_versions_is_shown(corpus: Corpus) -> None:
    alpha = row(corpus, "a", "alpha", 1)
    row(corpus, "b", "beta", 1, origin=alpha, theme="Older.")
    row(corpus, "c", "gamma", 1, origin=alpha, theme="Newer.")
    assert inherited_backgrounds([alpha.pk])[alpha.pk].theme == "Older."


def test_a_judge_sees_the_originals_characters_before_a_versions_own(corpus: Corpus) -> None:
    alpha = row(corpus, "a", "alpha", 1, traits_1=["from the original"])
    beta = row(corpus, "b", "beta", 1, origin=alpha, traits_1=["own"], traits_2=["own"])
    gamma = row(corpus, "c", "gamma", 1, origin=alpha)
    found = inherited_backgrounds([beta.pk, gamma.pk])
    assert found[beta.pk] == Shown("", ["from the original"], ["own"])
    assert found[gamma.pk] == Shown("", ["from the original"], ["own"]), "each speaker falls back alone"


def test_a_study_shows_the_versions_theme_and_the_originals_characters() -> None:
    original = Dialogue(theme="Old.", traits_1=["a"], traits_2=[])
    donor = Dialogue(theme="New.", traits_1=["b"], traits_2=["c"])
    assert study_background(original, donor) == ("New.", ["a"], ["c"])
    assert study_background(original, Dialogue()) == ("Old.", ["a"], [])


def test_a_check_item_shows_the_theme_of_what_it_shows_else_of_the_newest_version(corpus: Corpus) -> None:
    alpha = row(corpus, "a", "alpha", 1)
    assert theme_donor(alpha, None) == alpha
    beta = row(corpus, "b", "beta", 1, origin=alpha, theme="Older.")
    gamma = row(corpus, "c", "gamma", 1, origin=alpha, theme="Newer.")
    bare = row(corpus, "d", "stephanie", 1, origin=alpha)
    assert theme_donor(alpha, None) == gamma
    assert theme_donor(bare, None) == gamma
    assert theme_donor(beta, None) == beta
    assert theme_donor(bare, beta) == beta
    assert theme_donor(gamma, beta) == gamma


def test_an_example_takes_the_background_that_its_run_made_then_its_own_then_its_originals(corpus: Corpus) -> None:
    alpha = row(corpus, "a", "alpha", 1, theme="Of the original.", traits_1=["original"], traits_2=["original"])
    own = row(corpus, "b", "beta", 1, origin=alpha, theme="Own.")
    bare = row(corpus, "c", "beta", 1, origin=alpha)
    half = row(corpus, "d", "beta", 1, origin=alpha, traits_2=["own"])
    assert _beside(own) == ("Own.", ["original"], ["original"])
    assert _beside(bare) == ("Of the original.", ["original"], ["original"])
    assert _beside(half) == ("Of the original.", [], ["own"]), "both speakers from one dialogue"
    run, call = _written(corpus, alpha)
    Output.objects.create(call=call, dialogue=own, version_id="beta")
    assert _beside(Dialogue.objects.get(pk=own.pk)) == ("Own.", ["original"], ["original"])
    Background.objects.create(run=run, dialogue=alpha, call=call, theme="Made.", traits_1=["made"])
    assert _beside(Dialogue.objects.get(pk=own.pk)) == ("Made.", ["made"], [])


def test_a_run_writes_on_the_theme_it_made_then_on_the_one_it_was_given_then_on_the_dialogues_own(
    corpus: Corpus,
) -> None:
    alpha = row(corpus, "a", "alpha", 1, theme="Own.", traits_1=["own"])
    earlier, first = _written(corpus, alpha)
    given = Background.objects.create(run=earlier, dialogue=alpha, call=first, theme="Given.")
    run, call = _written(corpus, alpha)
    assert subjects_of([call])[0].theme == "Own."
    RunDialogue.objects.create(run=run, dialogue=alpha, background=given)
    assert subjects_of([call])[0].theme == "Given."
    Background.objects.create(run=run, dialogue=alpha, call=call, theme="Made.")
    assert subjects_of([call])[0].theme == "Made."
    run.stages = [Stage.PAIR]
    assert subjects_of([call])[0].theme == "Given.", "a run without a theme stage makes none"
    call.stage = Stage.FURTHER_SPLIT
    assert subjects_of([call])[0].theme == "Own.", "what is split brings its theme along"


def test_a_judge_is_shown_the_given_background_else_the_familys(corpus: Corpus) -> None:
    alpha = row(corpus, "a", "alpha", 1, traits_1=["original"])
    row(corpus, "c", "gamma", 1, origin=alpha, theme="Of the family.")
    bare = row(corpus, "b", "beta", 1, origin=alpha)
    run = judge_run(corpus, "judge")
    call = Call(
        run=run, run_stage=run.run_stages.get(), dialogue=bare, alpha=alpha, stage=Stage.JUDGE,
        not_before=timezone.now(),
    )  # fmt: skip
    subject = subjects_of([call])[0]
    assert (subject.theme, list(subject.traits_1)) == ("Of the family.", ["original"])
    earlier, first = _written(corpus, alpha)
    made = Background.objects.create(run=earlier, dialogue=alpha, call=first, theme="Given.")
    RunDialogue.objects.create(run=run, dialogue=bare, background=made)
    assert subjects_of([call])[0].theme == "Given."


def _beside(dialogue: Dialogue) -> tuple[str, list[str], list[str]]:
    found = example_background(dialogue)
    return found.theme, list(found.traits_1), list(found.traits_2)


def _written(corpus: Corpus, alpha: Dialogue) -> tuple[Run, Call]:
    """A writing run with one call of the pair stage."""
    judge = judge_run(corpus, "writer").run_stages.get()
    run: Any = Run.objects.create(name="Writing", corpus=corpus, stages=[Stage.THEME, Stage.PAIR])
    stage = RunStage.objects.create(
        run=run, stage=Stage.PAIR, endpoint=Endpoint.objects.get(name="writer"), model="writer", prompt=judge.prompt
    )
    call = Call.objects.create(
        run=run, run_stage=stage, dialogue=alpha, alpha=alpha, stage=Stage.PAIR, not_before=timezone.now()
    )
    return run, call
