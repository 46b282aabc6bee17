"""A study of chats from its first step to its launch: systems, plan, cells, and what is kept after it."""

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse

from annotation.chats.plan import ChatPlan
from annotation.design import drafting, launch
from annotation.design.chat_cells import NO_CHAT
from annotation.design.chat_systems import systems_of
from annotation.design.checklist import musts, shoulds
from annotation.design.record_views import next_version
from annotation.design.selection import select
from annotation.models import FrozenDesignError, Item, Study
from annotation.models.studies import ChatSystem
from core.fingerprint import StaleError
from dialogues.models import Corpus, Dialogue, Version
from tests.annotation.chat_designs import chat_draft, chat_study, endpoint, system
from tests.annotation.setting import check, corpus, dialogue, draft, member

pytestmark = pytest.mark.django_db


def address(of: Study, step: str) -> str:
    return reverse("study_step", args=[of.pk, step])


def as_shown(page: Any, **changed: Any) -> dict[str, Any]:
    """The form of a page, with its systems if it has some, as a browser would send it back."""
    form = page.context["form"]
    shown = {bound.html_name: bound.value() for bound in form}
    for rows in filter(None, [getattr(form, "systems", None)]):
        shown |= {bound.html_name: bound.value() for bound in rows.management_form}
        shown |= {bound.html_name: bound.value() for row in rows for bound in row}
    return {name: value for name, value in {**shown, **changed}.items() if value is not None and value is not False}


def sentences(of: Study) -> list[str]:
    return [problem.text for problem in musts(of, select(of))]


def test_the_launch_makes_a_cell_of_every_system_and_background(db: None) -> None:
    one = chat_study(2, of=corpus(3))
    rated = list(one.items.filter(purpose=Item.Purpose.RATED).select_related("dialogue__corpus", "background"))
    assert one.selection["items"] == len(rated) == 6
    assert {item.position for item in rated} == set(range(6))
    cells = Counter((item.background_id, item.dialogue.version_id) for item in rated)
    assert set(cells.values()) == {1}
    assert {version for _, version in cells} == {"chat-tuned", "chat-untuned"}
    assert {item.background.version_id for item in rated} == {"alpha"}
    for item in rated:
        assert item.dialogue.corpus.is_scratch
        assert item.dialogue.key == f"chat study {one.pk}/{item.background_id}/{item.dialogue.version_id}"
        assert item.dialogue.written_by.startswith("secret-model-")
        assert item.theme.startswith("Two people talk about subject")
        assert item.traits_1 == item.background.traits_1
    assert {version.pk for version in one.versions.all()} == {"chat-tuned", "chat-untuned"}
    slots = Counter(one.assignments.filter(slot__isnull=False).values_list("item", flat=True))
    assert set(slots.values()) == {2}
    assert len(slots) == 6


def test_every_tester_begins_with_the_practice_chat_and_it_is_not_about_what_is_rated(db: None) -> None:
    one = chat_study(of=corpus(4), background_count=3)
    practice = one.items.get(purpose=Item.Purpose.TRAINING)
    rated = one.items.filter(purpose=Item.Purpose.RATED)
    assert practice.dialogue.version_id == "chat-tuned"
    assert practice.dialogue.key.endswith("/practice")
    assert practice.background_id not in set(rated.values_list("background", flat=True))
    assert one.selection["set_aside"] == 1
    assert practice.position == rated.count() == 6
    assert member(one, "tess").assignments.get().item == practice


def test_practice_takes_a_rated_background_where_no_other_is_left_and_none_where_it_is_off(db: None) -> None:
    of = corpus(2)
    one = chat_study(of=of)
    assert one.selection["set_aside"] == 0
    assert one.items.get(purpose=Item.Purpose.TRAINING).background.corpus == of
    without = chat_study(of=of, chat_plan=ChatPlan(practice=False).as_json())
    assert set(without.items.values_list("purpose", flat=True)) == {Item.Purpose.RATED}


def test_the_launch_makes_the_budget_of_all_chats(db: None) -> None:
    of = corpus(2)
    limited = chat_study(of=of, chat_plan=ChatPlan(budget=2.5).as_json())
    assert limited.chat_budget is not None
    assert limited.chat_budget.budget == Decimal("2.5")
    free = chat_study(of=of)
    assert free.chat_budget is not None
    assert free.chat_budget.budget is None


def test_a_launched_study_grows_by_chats_and_by_backgrounds(db: None) -> None:
    one = chat_study(2, of=corpus(6), background_count=3)
    assert launch.extend(study=one, raters_per_item=3, by=None) == 6
    practised = one.items.get(purpose=Item.Purpose.TRAINING).background_id
    assert launch.add_items(study=one, backgrounds=2, by=None) == 4
    rated = one.items.filter(purpose=Item.Purpose.RATED).select_related("dialogue")
    cells = Counter((item.background_id, item.dialogue.version_id) for item in rated)
    assert len(cells) == 10
    assert practised not in {background for background, _ in cells}
    slots = Counter(one.assignments.filter(slot__isnull=False).values_list("item", flat=True))
    assert set(slots.values()) == {3}
    with pytest.raises(drafting.DesignError, match="0 backgrounds"):
        launch.add_items(study=one, backgrounds=1, by=None)


def test_only_originals_with_a_theme_or_characters_can_be_chatted_about(db: None) -> None:
    of = Corpus.objects.create(name="Some")
    dialogue(of, "bare", "alpha", "one")
    dialogue(of, "theme", "alpha", "two", theme="Cats")
    dialogue(of, "traits", "alpha", "three", traits_2=["i have a cat ."])
    told = dialogue(of, "told", "alpha", "four")
    dialogue(of, "told-beta", "beta", "four", origin=told, theme="Dogs")
    found = select(chat_draft(of=of))
    keys = {Dialogue.objects.get(pk=choice.background).key for choice in found.choices}
    assert keys == {"theme", "traits", "told"}
    assert found.incomplete == 1
    one = chat_study(of=of)
    assert {item.theme for item in one.items.filter(background=told)} == {"Dogs"}


def test_the_sample_of_backgrounds_follows_from_the_seed(db: None) -> None:
    of = corpus(8)
    one, same, other = (chat_draft(of=of, background_count=3, seed=seed) for seed in (1, 1, 2))
    drawn = [{choice.background for choice in select(row).choices} for row in (one, same, other)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert select(one).practice == select(same).practice


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"systems": []}, "Choose the systems"),
        ({"k": None}, "Say how many chats"),
        ({"chat_plan": {"least_turns": 9, "most_turns": 3}}, "not fewer than the least"),
        ({"chat_plan": {"asks_preference": True, "chats_each": 1}}, "only after two chats or more"),
        ({"chat_plan": {"asks_preference": True}, "systems": [{"name": "A"}]}, "and this study has 1."),
        ({"systems": [{"name": "A", "delimiter": " x"}]}, "white space"),
        ({"systems": [{"name": "A", "mode": "prompted"}]}, "there are none here"),
    ],
    ids=[
        *("no systems", "no number", "a plan that contradicts itself", "one chat and a preference"),
        *("one system and a preference", "a bad delimiter", "no examples"),
    ],
)
def test_what_must_be_fixed_before_the_launch_is_said(db: None, fields: dict[str, Any], said: str) -> None:
    given = dict(fields)
    if "systems" in given:
        given["systems"] = [system(**row) for row in given["systems"]]
    one = chat_draft(**given)
    assert any(said in sentence for sentence in sentences(one)), sentences(one)
    with pytest.raises(drafting.DesignError):
        launch.launch(study=one, by=None)
    one.refresh_from_db()
    assert one.is_draft


def test_a_corpus_without_anything_to_chat_about_is_no_error_of_the_server(researcher: Client) -> None:
    of = Corpus.objects.create(name="Bare")
    dialogue(of, "bare", "alpha", "one")
    one = chat_draft(of=of)
    page = researcher.get(one.get_absolute_url()).content.decode()
    assert "No original of the corpus has a theme or characters" in page
    assert researcher.get(address(one, "systems")).status_code == 200
    assert researcher.get(reverse("study_preview", args=[one.pk])).status_code == 200


def test_one_system_and_unlimited_costs_are_what_a_reviewer_would_ask_about(db: None) -> None:
    paid = endpoint("Paid", price_in=Decimal(1), price_out=Decimal(2))
    one = chat_draft(systems=[system("Alone", endpoint=paid)], chat_plan=ChatPlan(chat_cap=None).as_json())
    said = " ".join(problem.text for problem in shoulds(one))
    assert "nothing to compare it with" in said
    assert "all chats together may cost: Paid" in said
    assert "what one chat may cost" in said
    assert not sentences(one)
    limited = chat_draft(of=one.corpus, systems=[system("A", endpoint=paid)], chat_plan=ChatPlan(budget=5.0).as_json())
    assert "may cost" not in " ".join(problem.text for problem in shoulds(limited))


def test_systems_are_frozen_by_the_launch(db: None) -> None:
    one = chat_study()
    row = one.systems.all()[0]
    row.temperature = 1.5
    with pytest.raises(FrozenDesignError):
        row.save()
    with pytest.raises(FrozenDesignError):
        row.delete()
    with pytest.raises(drafting.DesignError):
        drafting.change_study(study=one, by=None, systems=[system("Other")])
    with pytest.raises(drafting.DesignError):
        drafting.change_study(study=one, by=None, chat_plan=ChatPlan(minutes=1).as_json())


def test_the_database_refuses_to_change_the_systems_of_a_launched_study(db: None) -> None:
    one = chat_study()
    with pytest.raises(DatabaseError, match="never change"), transaction.atomic():
        one.systems.update(temperature=1.5)
    extra = ChatSystem(study=one, version_id="alpha", endpoint=endpoint(), mode="plain")
    with pytest.raises(DatabaseError, match="never change"), transaction.atomic():
        ChatSystem.objects.bulk_create([extra])
    of_a_draft = chat_draft(of=one.corpus)
    of_a_draft.systems.update(temperature=1.5)
    assert {row.temperature for row in one.systems.all()} == {0.8}


def test_the_next_version_copies_systems_and_plan_and_practises_anew(db: None) -> None:
    one = chat_study(of=corpus(4), background_count=3, chat_plan=ChatPlan(minutes=9).as_json())
    draft_of_it = next_version(study=one, by=None)
    assert systems_of(draft_of_it) == systems_of(one)
    assert ChatPlan.of(draft_of_it.chat_plan).minutes == 9
    assert not draft_of_it.items.exists()
    again = launch.launch(study=draft_of_it, by=None)
    cells = [
        list(row.items.order_by("position").values_list("background", "dialogue__version", "purpose"))
        for row in (one, again)
    ]
    assert cells[0] == cells[1]
    assert again.chat_budget != one.chat_budget


def test_the_methods_text_says_what_testers_were_asked_to_do(researcher: Client) -> None:
    plan = ChatPlan(least_turns=5, most_turns=12, minutes=0, chats_each=4, asks_preference=True)
    one = chat_study(3, of=corpus(4), background_count=2, chat_plan=plan.as_json())
    text = " ".join(researcher.get(reverse("study_methods", args=[one.pk])).content.decode().split())
    for sentence in (
        "Testers were to chat with Tuned, Untuned about 2 backgrounds, and to score each chat.",
        "For each system and background, 3 chats were requested, each with a different tester.",
        "where at the launch 4 had a theme or characters and 0 had neither and were left out.",
        "The rated backgrounds are a random sample with seed 7.",
        "Tuned was the model secret-model-At Tuned, asked with the system message of its training, with <|msg|>",
        "after 2.5 seconds of silence",
        "could end and score a chat after 5 turns of theirs; it was over after 12 turns.",
        "No tester has more than 4 chats beside practice.",
        "A tester's first chat is for practice",
        "After their last chat testers are asked which of the two systems they preferred, if either",
        "Interesting, Informative, Natural, Engaging",
    ):
        assert sentence in text, text
    assert "training item" not in text


def test_researchers_see_what_testers_see_without_a_written_dialogue(researcher: Client) -> None:
    one = chat_draft(of=corpus(4), background_count=3)
    for study in (one, launch.launch(study=chat_draft(of=one.corpus, background_count=3), by=None)):
        for part in ("items", "training"):
            page = researcher.get(reverse("study_preview", args=[study.pk]), {"part": part}).content.decode()
            assert "Two people talk about subject" in page
            assert "i like sport" in page
            # The other side's character, and what nobody has said.
            assert "cats ." not in page
            assert NO_CHAT not in page
            assert "hello , words" not in page
            assert "after 4 of their turns; it is over after 30, or 30 minutes after their first message" in page
            assert 'value="5"' in page
        assert researcher.get(reverse("study_preview", args=[study.pk]), {"part": "gold"}).status_code == 200


def test_versions_follow_from_systems_and_keep_their_names_apart(db: None) -> None:
    one = chat_draft(systems=[system("Größer & 1"), system("Großer 1"), system("模型")])
    names = dict(one.versions.values_list("name", "slug"))
    assert set(names) == {"Größer & 1", "Großer 1", "模型"}
    assert len(set(names.values())) == 3
    assert all(slug.startswith("chat-") for slug in names.values())
    again = chat_draft(of=one.corpus, systems=[system("模型")])
    assert again.versions.get().slug == names["模型"]
    assert Version.objects.filter(slug__startswith="chat-").count() == 3


def test_systems_that_somebody_else_changed_meanwhile_are_not_overwritten(researcher: Client) -> None:
    one = chat_draft()
    mine = as_shown(researcher.get(address(one, "systems")), **{"systems-0-temperature": "1.1"})
    drafting.change_study(study=one, by=None, systems=[system("Theirs")])
    page = researcher.post(address(one, "systems"), mine)
    assert page.status_code == 409
    assert "Theirs: At Theirs" in page.content.decode()
    assert one.systems.get().version.name == "Theirs"
    kept = researcher.post(address(one, "systems"), {**mine, "seen": page.context["seen"]})
    assert kept.status_code == 302
    assert [row.temperature for row in one.systems.all()] == [1.1, 0.8]
    with pytest.raises(StaleError):
        drafting.change_study(study=one, by=None, systems=[], seen="something else")


def test_a_study_of_chats_is_designed_step_by_step(researcher: Client) -> None:
    corpus(3)
    first, second = endpoint("One", delimiter="<|cut|>"), endpoint("Two")
    answer = researcher.post(reverse("study_new"), {"name": "N", "public_name": "Chats", "kind": "chats"})
    made = Study.objects.get(name="N")
    assert answer.headers["Location"] == address(made, "systems")
    assert made.rubric.slug == "chat-four"
    assert "your character" in made.guidelines
    rows = {
        "systems-0-name": "Tuned", "systems-0-endpoint": first.pk,
        "systems-1-name": "Plain", "systems-1-endpoint": second.pk, "systems-1-mode": "plain",
    }  # fmt: skip
    answer = researcher.post(address(made, "systems"), as_shown(researcher.get(address(made, "systems")), **rows))
    assert answer.headers["Location"] == address(made, "conversation")
    stored = made.systems.order_by("position").values_list("version__name", "endpoint__name", "mode", "delimiter")
    assert list(stored) == [("Tuned", "One", "trained", "<|cut|>"), ("Plain", "Two", "plain", "")]
    sent = as_shown(researcher.get(address(made, "conversation")), least_turns="3", minutes="12", budget="4.5")
    answer = researcher.post(address(made, "conversation"), sent)
    assert answer.headers["Location"] == address(made, "rubric")
    made.refresh_from_db()
    plan = ChatPlan.of(made.chat_plan)
    assert (plan.least_turns, plan.minutes, plan.budget, plan.practice) == (3, 12, 4.5, True)
    page = researcher.get(address(made, "raters"))
    assert researcher.post(address(made, "raters"), as_shown(page)).status_code == 422
    answer = researcher.post(address(made, "raters"), as_shown(page, raters_per_item="2"))
    assert answer.headers["Location"] == address(made, "words")
    summary = researcher.get(made.get_absolute_url()).content.decode()
    assert "3 backgrounds × 2 systems, 2 chats of each: 12 chats." in summary
    assert researcher.post(reverse("study_launch", args=[made.pk])).status_code == 302
    made.refresh_from_db()
    assert made.is_open
    frozen = researcher.get(reverse("study_design", args=[made.pk])).content.decode()
    assert "delimiter <code>&lt;|cut|&gt;</code>" in frozen
    assert "at least 3 turns of the tester" in frozen


def test_rows_of_systems_are_added_and_removed_without_a_script(researcher: Client) -> None:
    one = chat_draft()
    page = researcher.post(address(one, "systems"), as_shown(researcher.get(address(one, "systems")), more="1"))
    assert page.status_code == 200
    assert len(page.context["form"].systems.forms) == 3
    third = endpoint("Third")
    sent = as_shown(page, **{"systems-2-name": "Third", "systems-2-endpoint": third.pk, "systems-0-DELETE": "on"})
    assert researcher.post(address(one, "systems"), sent).status_code == 302
    assert [row.version.name for row in one.systems.all()] == ["Untuned", "Third"]
    assert {version.name for version in one.versions.all()} == {"Untuned", "Third"}


def test_two_systems_of_one_name_or_half_a_system_are_refused_with_a_reason(researcher: Client) -> None:
    one = chat_draft()
    page = researcher.get(address(one, "systems"))
    answer = researcher.post(address(one, "systems"), as_shown(page, **{"systems-1-name": "TUNED"}))
    assert answer.status_code == 422
    assert "Two systems of one study need different names." in answer.content.decode()
    answer = researcher.post(address(one, "systems"), as_shown(page, **{"systems-1-endpoint": ""}))
    assert answer.status_code == 422
    assert "Choose the endpoint where this system answers." in answer.content.decode()
    answer = researcher.post(address(one, "systems"), as_shown(page, **{"systems-1-delimiter": "</s>"}))
    assert answer.status_code == 422
    assert "mark turns" in answer.content.decode()
    assert [row.version.name for row in one.systems.all()] == ["Tuned", "Untuned"]


@pytest.mark.parametrize("step", ["basics", "systems", "conversation", "rubric", "raters", "words", "ethics"])
def test_any_step_can_be_sent_back_unchanged(researcher: Client, step: str) -> None:
    one = chat_draft(chat_plan=ChatPlan().as_json())
    before = Study.objects.values().get(pk=one.pk)
    systems = list(one.systems.values())
    answer = researcher.post(address(one, step), as_shown(researcher.get(address(one, step))))
    assert answer.status_code == 302
    assert Study.objects.values().get(pk=one.pk) == before
    assert list(one.systems.values()) == systems


def test_steps_of_another_kind_do_not_exist(researcher: Client) -> None:
    chats, scores = chat_draft(), draft(of=corpus(1, name="Other"))
    for one, steps in ((chats, ("items", "checks")), (scores, ("systems", "conversation"))):
        for step in steps:
            assert researcher.get(address(one, step)).status_code == 404


def test_a_study_with_training_items_does_not_become_one_of_chats(researcher: Client) -> None:
    one = draft(of=corpus(2))
    check(one, one.corpus.dialogues.of_version("beta")[0])
    answer = researcher.post(
        address(one, "basics"), as_shown(researcher.get(address(one, "basics")), kind="chats"), follow=True
    )
    assert "Remove the training, gold and attention items first" in answer.content.decode()
    one.refresh_from_db()
    assert one.kind == "scores"


def test_a_study_that_is_none_of_chats_any_more_launches_without_systems(db: None) -> None:
    one = chat_draft(of=corpus(2, ("alpha", "beta")))
    drafting.change_study(study=one, by=None, kind="scores", versions=Version.objects.filter(pk__in=("alpha", "beta")))
    launched = launch.launch(study=one, by=None)
    assert not launched.systems.exists()
    assert launched.chat_budget is None
    assert {item.dialogue.version_id for item in launched.items.all()} == {"alpha", "beta"}


def test_another_kind_leads_to_its_own_steps(researcher: Client) -> None:
    one = draft(of=corpus(2))
    sent = as_shown(researcher.get(address(one, "basics")), kind="chats")
    assert researcher.post(address(one, "basics"), sent).headers["Location"] == address(one, "systems")
