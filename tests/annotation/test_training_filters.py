"""What people rated, flagged and rewrote decides what goes into a training set."""

from typing import Any

import pytest
from django.utils import timezone

from annotation.models import Rating, Score, Study
from annotation.reports import unblinding
from dialogues.models import Corpus
from generation.training.building import build
from generation.training.choosing import choose
from generation.training.recipe import Recipe, RecipeError
from tests.annotation import setting
from tests.annotation.setting import TWO
from tests.dialogues.rows import add_dialogue

pytestmark = pytest.mark.django_db


def left(corpus: Corpus, values: dict[str, Any], **choices: Any) -> list[str]:
    recipe = Recipe.of({"corpus": corpus.pk, "versions": TWO, "filters": values, **choices})
    return [one.key for one in choose(recipe, corpus).planned]


def rated(size: int = 3, **fields: Any) -> tuple[Study, Corpus]:
    """A study in which one rater has rated everything with 3."""
    corpus = setting.corpus(size, TWO)
    study = setting.study(of=corpus, versions=TWO, **fields)
    setting.rate_all(setting.member(study, "ann"))
    return study, corpus


def closed(study: Study) -> None:
    Study.objects.filter(pk=study.pk).update(state="closed", closed_at=timezone.now())


def give(study: Study, key: str, value: int) -> None:
    scores = Score.objects.filter(rating__assignment__item__dialogue__key=key, metric="natural")
    scores.filter(rating__assignment__study=study).update(value=value)


def test_the_mean_of_the_ratings_that_count_decides() -> None:
    study, corpus = rated()
    keys = sorted(corpus.dialogues.filter(version__in=TWO).values_list("key", flat=True))
    setting.rate_all(setting.member(study, "bob"))
    closed(study)
    for key in keys:
        give(study, key, 2)
    give(study, keys[1], 5)
    assert left(corpus, {"human": {"metric": "natural", "at_least": 4}}) == [keys[1]]
    assert keys[1] not in left(corpus, {"human": {"metric": "natural", "at_most": 4}})


def test_a_study_that_is_still_blind_decides_nothing() -> None:
    study, corpus = rated()
    score = {"human": {"metric": "natural", "at_least": 1}}
    with pytest.raises(RecipeError, match="Score by people: there is no score for 'natural'"):
        left(corpus, score)
    unblinding.unblind(study=study, by=None, how="report")
    assert left(corpus, score)


def test_simulated_scores_mark_the_set() -> None:
    study, corpus = rated()
    closed(study)
    Study.objects.filter(pk=study.pk).update(is_simulated=True)
    recipe = {"corpus": corpus.pk, "versions": TWO, "validation": 0, "test": 0}
    by_score = {"filters": {"human": {"metric": "natural", "at_least": 1}}}
    assert build(Recipe.of(recipe | by_score), "Scored", by=None).counts["labels"]["simulated"]
    assert not build(Recipe.of(recipe), "All", by=None).counts["labels"]["simulated"]


def test_what_a_rater_flagged_is_left_out() -> None:
    study, corpus = rated()
    everything = left(corpus, {})
    flagged = Rating.objects.filter(assignment__study=study).order_by("pk").first()
    assert flagged is not None
    Rating.objects.filter(pk=flagged.pk).update(flag="broken")
    key = flagged.assignment.item.dialogue.key
    assert left(corpus, {"flagged": True}) == [one for one in everything if one != key]


def test_every_background_that_a_study_rates_is_left_out_in_all_versions() -> None:
    _, corpus = rated()
    unseen = add_dialogue(corpus, "unseen", [[1, "hi"], [2, "hello"]])
    add_dialogue(corpus, "unseen-beta", [[1, "hi"], [2, "hello"]], "beta", origin=unseen, parent=unseen)
    assert left(corpus, {"unrated": True}) == ["unseen", "unseen-beta"]


def test_only_approved_rewrites_are_by_hand() -> None:
    _, corpus = rated()
    with pytest.raises(RecipeError, match="“Only rewrites by hand” dropped most of them"):
        left(corpus, {"approved": True})
