"""Designing, launching and closing studies; what launch takes and what it leaves."""

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from annotation.design import drafting, launch
from annotation.design.selection import select
from annotation.models import Assignment, Item, Profile
from annotation.monitoring import states
from annotation.people import memberships
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent, Dialogue
from generation.models import Call, Endpoint, Output, Prompt, Run, RunStage
from tests.annotation.setting import ALL, corpus, dialogue, draft, member, study

pytestmark = pytest.mark.django_db


def test_all_versions_of_a_sampled_background_come_together() -> None:
    one = study(of=corpus(10), background_count=3)
    rows = list(one.items.values_list("background_id", "dialogue__version_id"))
    backgrounds = {background for background, _ in rows}
    assert len(backgrounds) == 3
    assert sorted(rows) == sorted((background, version) for background in backgrounds for version in ALL)


def test_the_seed_decides_the_sample() -> None:
    chats = corpus(20)

    def sampled(seed: int) -> list[int]:
        one = study(of=chats, background_count=4, seed=seed)
        return sorted(set(one.items.values_list("background_id", flat=True)))

    assert sampled(1) == sampled(1)
    assert len({tuple(sampled(seed)) for seed in range(6)}) > 1


def test_a_background_that_lacks_a_version_stays_out_and_is_counted() -> None:
    chats = corpus(3)
    chats.dialogues.filter(version="gamma").first().delete()  # type: ignore[union-attr]
    assert (
        study(of=chats).selection.items()
        >= {
            "backgrounds": 2,
            "items": 8,
            "complete": 2,
            "incomplete": 1,
            "several": 0,
            "set_aside": 0,
            "demo": 0,
        }.items()
    )


def test_of_a_version_written_twice_the_latest_is_taken_and_it_is_said() -> None:
    chats = corpus(1)
    original = chats.dialogues.get(version="alpha")
    newer = dialogue(chats, "newer", "beta", "new words", origin=original, parent=original, written_by="other")
    one = study(of=chats)
    assert one.items.get(dialogue__version="beta").dialogue == newer
    assert one.selection["several"] == 1


def test_a_study_can_take_only_what_one_model_wrote() -> None:
    chats = corpus(1)
    original = chats.dialogues.get(version="alpha")
    dialogue(chats, "newer", "beta", "new words", origin=original, parent=original, written_by="other")
    one = study(of=chats, writer="secret-writer-9000")
    assert one.items.get(dialogue__version="beta").dialogue.written_by == "secret-writer-9000"


def test_every_version_of_a_background_is_shown_with_one_theme_and_the_same_characters() -> None:
    for versions in (ALL, ("alpha",), ("alpha", "beta")):
        one = study(of=corpus(3, name=str(versions)), versions=versions)
        for background in {item.background_id for item in one.items.all()}:
            shown = one.items.filter(background=background).values_list("theme", "traits_1", "traits_2")
            assert len({str(row) for row in shown}) == 1
            assert "subject" in shown[0][0]
            assert shown[0][1]


def test_launch_freezes_the_design() -> None:
    one = draft()
    drafting.change_study(study=one, by=None, versions=one.versions.filter(pk="alpha"), seed=9)
    launched = launch.launch(study=one, by=None)
    assert launched.items.count() == 3
    with pytest.raises(drafting.DesignError, match="frozen"):
        drafting.change_study(study=launched, by=None, versions=[], seed=1)
    with pytest.raises(drafting.DesignError, match="already"):
        launch.launch(study=launched, by=None)
    assert Item.objects.count() == 3


def test_a_study_without_a_complete_background_cannot_be_launched() -> None:
    one = draft(of=corpus(2, ("alpha",)), versions=("alpha", "beta"))
    with pytest.raises(drafting.DesignError, match="No background has every chosen version"):
        launch.launch(study=one, by=None)
    one.refresh_from_db()
    assert one.is_draft


def test_each_step_leaves_a_record_of_who_did_it() -> None:
    one = draft()
    by = User.objects.create(username="researcher")
    launch.launch(study=one, by=by)
    states.close(study=one, by=by)
    verbs = AuditEvent.objects.filter(subject=f"study:{one.pk}").values_list("verb", "actor__username")
    assert set(verbs) == {
        (AuditVerb.STUDY_CREATED, None),
        (AuditVerb.STUDY_LAUNCHED, "researcher"),
        (AuditVerb.STUDY_CLOSED, "researcher"),
    }


def test_raters_who_joined_a_draft_are_dealt_their_items_at_launch() -> None:
    one = draft()
    ann = member(one, "ann")
    assert not ann.assignments.exists()
    launch.launch(study=one, by=None)
    assert ann.assignments.count() == 12
    assert member(one, "bob").assignments.count() == 12


def test_joining_twice_changes_nothing_and_gives_a_pseudonym_once() -> None:
    one = study()
    ann = member(one, "ann")
    assert memberships.join(study=one, rater=ann.rater, by=None) == ann
    assert Assignment.objects.filter(membership=ann).count() == 12
    assert Profile.objects.get(user=ann.rater).pseudonym.startswith("rater-")


def test_raters_of_one_study_have_different_seeds_that_follow_from_the_studys() -> None:
    chats = corpus(2)
    first, again = study(of=chats), study(of=chats)
    seeds = [[member(one, name).seed for name in ("ann", "bob")] for one in (first, again)]
    assert seeds[0] == seeds[1]
    assert len(set(seeds[0])) == 2


def test_the_latest_run_that_wrote_every_version_is_taken_whole() -> None:
    chats = corpus(1, ("alpha",))
    original = chats.dialogues.get()
    whole, partial = wrote(original, 1, "beta", "gamma"), wrote(original, 2, "beta")
    choice = select(draft(of=chats, versions=("alpha", "beta", "gamma"))).choices[0]
    assert choice.dialogues == {"alpha": original.pk, "beta": whole["beta"], "gamma": whole["gamma"]}
    # Where no run wrote all, the latest of each.
    choice = select(draft(of=chats, versions=("alpha", "beta"))).choices[0]
    assert choice.dialogues["beta"] == partial["beta"]


def test_of_several_writers_in_a_run_one_is_taken_whole() -> None:
    chats = corpus(1, ("alpha",))
    original = chats.dialogues.get()
    first = wrote(original, 1, "beta", "gamma")
    wrote(original, 1, "beta", "gamma", branch=1)
    choice = select(draft(of=chats, versions=("beta", "gamma"))).choices[0]
    assert choice.dialogues == first
    assert choice.had_several


def wrote(original: Dialogue, number: int, *versions: str, branch: int = 0) -> dict[str, int]:
    """Dialogues of one call by one of a run's writers, by version."""
    endpoint, _ = Endpoint.objects.get_or_create(name="E", base_url="http://127.0.0.1/v1", model="m")
    run, _ = Run.objects.get_or_create(name=f"Run {number}", corpus=original.corpus, stages=["pair"])
    prompt, _ = Prompt.objects.get_or_create(stage="pair", version=100 + number, user="…")
    stage = RunStage.objects.create(run=run, stage="pair", branch=branch, endpoint=endpoint, model="m", prompt=prompt)
    call = Call.objects.create(
        run=run, run_stage=stage, dialogue=original, alpha=original, stage="pair", not_before=timezone.now()
    )
    made = {}
    for slug in versions:
        key = f"r{number}.{branch}-{slug}"
        row = dialogue(original.corpus, key, slug, "words", origin=original, parent=original)
        Output.objects.create(dialogue=row, call=call, version_id=slug)
        made[slug] = row.pk
    return made
