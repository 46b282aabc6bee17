"""Which dialogues a judge is given: all versions of a background together, each on the theme it was written on."""

import pytest

from dialogues.baseline import split_all
from dialogues.models import Corpus, Dialogue
from dialogues.sources import Sources, writers
from generation.judgements.selection import Given, Selection, Wanted, select
from generation.models import Call, Output, Run
from tests.generation.judged import ALL, call, family, judge_run, row, theme_of

pytestmark = pytest.mark.django_db


def keys(selection: Selection) -> list[str]:
    names = dict(Dialogue.objects.values_list("pk", "key"))
    return [names[one.dialogue] for one in selection.given]


def written_by_run(corpus: Corpus, run: Run, alpha: Dialogue, *versions: str) -> list[Dialogue]:
    """Dialogues as a run writes them: with an output that leads to its call."""
    made = []
    for version in versions:
        fields = {"origin": alpha, "parent": alpha, "written_by": "m", "theme": "As the run wrote it."}
        dialogue = row(corpus, f"{alpha.key}.{version}.run{run.pk}", version, 1, **fields)
        Output.objects.create(dialogue=dialogue, version_id=version, call=call(run, alpha, sample=len(made)))
        made.append(dialogue)
    return made


def test_all_versions_of_a_background_come_together_and_the_sample_is_the_seeds(corpus: Corpus) -> None:
    for number in range(8):
        family(corpus, number, {"a": ALL[1:]})
    first = select(Wanted(corpus, ALL, sample=3, seed=5))
    assert first == select(Wanted(corpus, ALL, sample=3, seed=5))
    assert first != select(Wanted(corpus, ALL, sample=3, seed=6))
    assert (first.backgrounds, first.available, len(first.given)) == (3, 8, 12)
    assert len({key.split("-")[0] for key in keys(first)}) == 3


def test_a_background_that_lacks_something_is_left_out_and_counted_unless_wanted(corpus: Corpus) -> None:
    family(corpus, 0, {"a": ["beta", "gamma"], "b": ["beta"]})
    family(corpus, 1, {"a": ["beta"], "b": ["beta"]})
    family(corpus, 2, {"a": ["beta", "gamma"]})
    wanted = ("alpha", "beta", "gamma")
    whole = select(Wanted(corpus, wanted))
    # b never wrote a γ, so its gap is nobody's lack.
    assert keys(whole) == ["d0", "d0-a-beta", "d0-a-gamma", "d0-b-beta"]
    assert whole.incomplete == 2
    assert len(select(Wanted(corpus, wanted, whole=False)).given) == 4 + 3 + 3
    assert keys(select(Wanted(corpus, wanted, sources=Sources.of({"writer": ["a"]})))) == [
        "d0", "d0-a-beta", "d0-a-gamma", "d2", "d2-a-beta", "d2-a-gamma",
    ]  # fmt: skip
    assert writers(corpus) == ["a", "b"]


def test_backgrounds_without_any_theme_are_left_out_and_counted(corpus: Corpus) -> None:
    family(corpus, 0, {})
    family(corpus, 1, {}, theme="They talk.")
    found = select(Wanted(corpus, ["alpha"]))
    assert (keys(found), found.without_theme) == (["d1"], 1)


def test_every_version_is_shown_the_background_it_was_written_on_and_alpha_its_familys(corpus: Corpus) -> None:
    alpha = family(corpus, 0, {})["", "alpha"]
    early, late = judge_run(corpus, "m", name="early"), judge_run(corpus, "m", name="late")
    theme_of(early, alpha, "Early.")
    background = theme_of(late, alpha, "Late.")
    written_by_run(corpus, early, alpha, "beta")
    beta, gamma = written_by_run(corpus, late, alpha, "beta", "gamma")
    found = select(Wanted(corpus, ("alpha", "beta", "gamma")))
    assert found.given == (
        Given(alpha.pk, background.pk), Given(beta.pk, background.pk), Given(gamma.pk, background.pk),
    )  # fmt: skip
    only = select(Wanted(corpus, ("alpha", "beta"), sources=Sources.of({"run": [early.pk]})))
    assert [one.background for one in only.given] == [early.backgrounds.get().pk] * 2


def test_an_original_alone_is_shown_the_latest_theme_that_a_run_made(corpus: Corpus) -> None:
    alpha = family(corpus, 0, {})["", "alpha"]
    theme_of(judge_run(corpus, "m", name="early"), alpha, "Early.")
    background = theme_of(judge_run(corpus, "m", name="late"), alpha, "Late.")
    assert select(Wanted(corpus, ["alpha"])).given == (Given(alpha.pk, background.pk),)


def test_a_punctuation_split_goes_with_the_run_of_what_was_split(corpus: Corpus) -> None:
    alpha = family(corpus, 0, {})["", "alpha"]
    early, late = judge_run(corpus, "m", name="early"), judge_run(corpus, "m", name="late")
    for run in (early, late):
        theme_of(run, alpha, run.name)
        written_by_run(corpus, run, alpha, "beta")
    split_all(corpus)
    found = select(Wanted(corpus, ("beta", "punctuation"), sources=Sources.of({"run": [early.pk]})))
    beta, split = (Dialogue.objects.get(pk=one.dialogue) for one in found.given)
    assert split.parent == beta
    assert {one.background for one in found.given} == {early.backgrounds.get().pk}


def test_themes_that_came_with_a_file_are_left_to_the_dialogues(corpus: Corpus) -> None:
    members = family(corpus, 0, {"a": ["beta"]})
    assert set(select(Wanted(corpus, ("alpha", "beta"))).given) == {
        Given(dialogue.pk, None) for dialogue in members.values()
    }
    assert not Call.objects.exists()


def test_two_endpoints_of_a_run_that_answer_under_one_name_are_never_mixed(corpus: Corpus) -> None:
    alpha = family(corpus, 0, {}, theme="Hills.")["", "alpha"]
    run = judge_run(corpus, "m", "m")
    for branch, version in ((0, "beta"), (1, "beta"), (1, "gamma"), (0, "gamma")):
        fields = {"origin": alpha, "parent": alpha, "written_by": "m"}
        dialogue = row(corpus, f"w{branch}.{version}", version, 1, **fields)
        made = call(run, alpha, branch, sample=int(version == "gamma"))
        Output.objects.create(dialogue=dialogue, version_id=version, call=made)
    assert keys(select(Wanted(corpus, ("beta", "gamma")))) == ["w0.beta", "w0.gamma"]
