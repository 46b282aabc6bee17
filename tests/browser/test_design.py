"""Designing a study as people do it: by keyboard, without script, two at once, with awkward names."""

import re

import pytest
from playwright.sync_api import Page, expect

from annotation.design import launch, rubrics
from annotation.design.step_views import steps_of
from annotation.design.texts import CONSENT_DRAFT
from annotation.models import Study
from dialogues.models import Dialogue, Rubric
from dialogues.rubric import PAPER_SIX, Scale
from tests.annotation.setting import check, corpus, draft, study, user
from tests.browser.watching import PageMaker, Watch, assert_accessible, assert_usable, sign_in

AWKWARD = 'Wer <b>schreibt</b> "wie" & warum? 🙂 ' + "ein-sehr-langes-Wort-" * 3


def awkward_draft(kind: str = "scores") -> Study:
    """A draft whose texts are as long and odd as they come, with everything in it."""
    chats = corpus(8, name=f"Chats {kind} & <i>more</i>")
    Dialogue.objects.filter(corpus=chats, key="d0-beta").update(key="d0-beta" + "-and-on" * 12)
    pairs = [["alpha", "stephanie"], ["beta", "gamma"]] if kind == "pairs" else []
    one = draft(
        2, of=chats, name=f"{kind} {AWKWARD}"[:120], kind=kind, pairs=pairs, consent_text=CONSENT_DRAFT,
        pay_note=AWKWARD, approval_number="Board <7>", minutes_estimate=40,
    )  # fmt: skip
    for place, purpose in enumerate(("training", "gold", "attention")):
        first, second = chats.dialogues.of_version("beta")[place], chats.dialogues.of_version("gamma")[place]
        other = second if kind == "pairs" else None
        check(one, first, purpose, other=other, expected={"natural": 1, "engaging": 1}, note=AWKWARD)
    return one


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_of_a_design_fits_and_is_accessible(page: Page) -> None:
    scores, pairs = awkward_draft(), awkward_draft("pairs")
    launched = study(of=scores.corpus, name="Launched", consent_text="I agree.", retention=AWKWARD)
    mine = rubrics.make_rubric(name=AWKWARD[:110], metrics=PAPER_SIX, scale=Scale(1, 5), by=None)
    sign_in(page, user("rey", "researcher"))
    assert_usable(page, "/studies/new/", "/studies/")
    for step in steps_of(scores.kind):
        assert_usable(page, f"/studies/{scores.pk}/design/{step.slug}/")
    assert_usable(page, f"/studies/{pairs.pk}/design/items/")
    item, kept = scores.items.all()[0], scores.corpus.dialogues.of_version("gamma")[5]
    assert_usable(page, f"/studies/{scores.pk}/checks/{item.pk}/", f"/studies/{scores.pk}/checks/?purpose=gold")
    assert_usable(page, f"/studies/{scores.pk}/checks/add/{kept.pk}/?purpose=attention", f"/studies/{pairs.pk}/")
    for part in ("welcome", "training", "items", "gold", "attention"):
        assert_usable(page, f"/studies/{scores.pk}/preview/?part={part}", f"/studies/{pairs.pk}/preview/?part={part}")
    assert_usable(page, f"/studies/{launched.pk}/design/", f"/studies/{launched.pk}/preview/?part=gold")
    assert_usable(page, "/studies/rubrics/", "/studies/rubrics/new/", f"/studies/rubrics/{mine.pk}/")
    assert_usable(page, f"/studies/rubrics/{mine.pk}/edit/")


def test_a_design_is_made_by_keyboard_alone(page: Page) -> None:
    corpus(3)
    sign_in(page, user("rey", "researcher"))
    page.goto("/studies/new/")
    page.get_by_label("Name", exact=True).focus()
    page.keyboard.type("Side by side")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="What is rated", level=1)).to_be_visible()
    expect(page.get_by_text("Choose at least one pair of versions.")).to_be_visible()
    page.get_by_label("α beside Stephanie").focus()
    page.keyboard.press("Space")
    expect(page.get_by_text("3 pairs from 3 backgrounds")).to_be_visible()
    # The count came in without taking the focus away.
    expect(page.get_by_label("α beside Stephanie")).to_be_focused()
    page.get_by_role("button", name="Save", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Saved: what is rated.")).to_be_visible()
    made = Study.objects.get()
    assert (made.kind, made.pairs) == ("pairs", [["alpha", "stephanie"]])


def test_everything_works_without_script(new_page: PageMaker) -> None:
    one = draft(of=corpus(3))
    page = new_page(java_script_enabled=False)
    sign_in(page, user("rey", "researcher"))
    page.goto(f"/studies/{one.pk}/design/items/")
    page.get_by_label("How many backgrounds").fill("1")
    page.get_by_role("button", name="Preview this choice").click()
    expect(page.get_by_text("4 dialogues from 1 background")).to_be_visible()
    assert Study.objects.get().background_count is None
    page.get_by_role("button", name="Save and go on").click()
    assert Study.objects.get().background_count == 1
    page.goto("/studies/rubrics/new/")
    page.get_by_label("Name", exact=True).first.fill("Mine")
    page.get_by_label("Name", exact=True).nth(1).fill("Depth")
    page.get_by_label("Definition").fill("How deep it goes.")
    page.get_by_label("Word for the lowest point").fill("shallow")
    page.get_by_label("Word for the highest point").fill("deep")
    page.get_by_role("button", name="Another question").click()
    expect(page.get_by_text("Question 2")).to_be_visible()
    page.get_by_role("button", name="Save the rubric").click()
    expect(page.get_by_role("heading", name="Mine")).to_be_visible()
    assert Rubric.objects.get(name="Mine").metric_list()[0].key == "depth"


def test_two_people_on_one_step_both_keep_their_text(new_page: PageMaker, watch: Watch) -> None:
    watch.expect("status of 409")
    one = draft(of=corpus(1))
    pages = [new_page(), new_page()]
    for page, name in zip(pages, ("rey", "sam"), strict=True):
        sign_in(page, user(name, "researcher"))
        page.goto(f"/studies/{one.pk}/design/ethics/")
        page.get_by_label("Retention").fill(f"as {name} says")
    for page in pages:
        page.get_by_role("button", name="Save and go on").click()
    second = pages[1]
    expect(second.get_by_role("heading", name="Somebody else has changed this step")).to_be_visible()
    expect(second.get_by_text("as rey says")).to_be_visible()
    expect(second.get_by_label("Retention")).to_have_value("as sam says")
    assert_accessible(second)
    second.get_by_role("button", name="Keep mine").click()
    expect(second.get_by_text("Saved: ethics record.")).to_be_visible()
    assert Study.objects.get().retention == "as sam says"


def test_the_methods_text_is_copied_and_the_next_version_made(new_page: PageMaker) -> None:
    one = launch.launch(study=draft(of=corpus(2), name="First"), by=None)
    page = new_page(permissions=["clipboard-read", "clipboard-write"])
    sign_in(page, user("rey", "researcher"))
    page.goto(f"/studies/{one.pk}/")
    page.get_by_role("link", name="The whole design, and its methods text").click()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert "8 dialogues were to be scored" in page.evaluate("navigator.clipboard.readText()")
    page.get_by_role("button", name="Change the design in a next version").click()
    expect(page.get_by_role("heading", name="First v2")).to_be_visible()
    page.get_by_role("link", name="First", exact=True).click()
    expect(page).to_have_url(re.compile(f"/studies/{one.pk}/$"))
    expect(page.get_by_role("link", name="First v2")).to_be_visible()
