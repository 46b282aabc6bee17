"""Researchers choose dialogues, ask people, review what they made, and compare."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from annotation.models import Restructuring
from annotation.restructuring import review
from dialogues.models import Dialogue
from generation.models import Example, ExampleSet
from tests.annotation import handed_in
from tests.annotation.restructured import gamma
from tests.annotation.setting import user
from tests.browser.watching import assert_usable, sign_in

AWKWARD = 'a name with <b>&" 🎉 that goes on and on without any end in sight'
STEPS = (
    {"op": "split", "at": 1, "offset": 21},
    {"op": "reword", "at": 0, "text": "hi, how are you doing today?"},
    {"op": "merge", "at": 7},
    {"op": "insert", "at": 5, "speaker": 1, "text": "a" * 90},
    {"op": "delete", "at": 12},
)


@pytest.fixture
def rey() -> User:
    return user("rey", "researcher")


def tab_to(page: Page, name: str) -> None:
    """Tab until the button, link or field of this name has the focus, as somebody without a mouse does."""
    for _ in range(120):
        page.keyboard.press("Tab")
        focused = page.evaluate("(document.activeElement.labels?.[0] ?? document.activeElement).textContent.trim()")
        label = page.evaluate("document.activeElement.getAttribute('aria-label')")
        if name in (focused, label):
            return
    raise AssertionError(f"Tab never reached {name}")


def test_a_researcher_asks_somebody_by_keyboard_alone(page: Page, rey: User) -> None:
    ann = user("ann")
    dialogue = gamma()
    sign_in(page, rey)
    page.goto("/restructurings/")
    tab_to(page, "Choose dialogues")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Choose dialogues to restructure")).to_be_visible()
    tab_to(page, f"Take {dialogue.key}")
    page.keyboard.press("Space")
    tab_to(page, "Take the ticked")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Ask people to restructure 1 dialogue")).to_be_visible()
    tab_to(page, "ann")
    page.keyboard.press("Space")
    tab_to(page, "Ask them")
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 restructuring asked for.")).to_be_visible()
    assert list(Restructuring.objects.values_list("annotator", "original")) == [(ann.pk, dialogue.pk)]


def test_a_reviewer_remarks_sends_back_approves_and_makes_an_example(page: Page, rey: User) -> None:
    row = handed_in.submitted(gamma(), user("ann"), *STEPS)
    draft = ExampleSet.objects.create(name="By hand", kind="further_split")
    sign_in(page, rey)
    page.goto(f"/restructurings/{row.token}/")
    page.get_by_role("link", name="Show changed words").click()
    expect(page.locator("del").first).to_be_visible()
    page.get_by_text("5 operations").click()
    page.get_by_role("link", name="Reworded message 1").click()
    expect(page.get_by_text("As it was after operation 2 of 5")).to_be_visible()
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    page.get_by_role("link", name="Show it as it is now").click()
    page.get_by_text("Comment on a message").click()
    page.get_by_label("Message", exact=True).select_option("0")
    page.get_by_label("Remark", exact=True).fill("Is this still what they said?")
    page.get_by_role("button", name="Add remark").click()
    expect(page.get_by_text("1 remark is not settled.")).to_be_visible()
    page.get_by_role("button", name="Settle the remark on message 1").click()
    expect(page.get_by_text("settled", exact=True)).to_be_visible()
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("It is a separate dialogue now")).to_be_visible()
    page.get_by_label("Note").fill("A good one.")
    page.get_by_role("button", name="Add as an example").click()
    expect(page.get_by_text("Added to By hand v1 as example 1.")).to_be_visible()
    made = Example.objects.get(example_set=draft)
    assert (made.note, len(made.operations)) == ("A good one.", 5)
    page.get_by_role("link", name="d0.gamma.hand.1").click()
    expect(page.get_by_text("Restructured by rater-").first).to_be_visible()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_about_restructurings_fit_and_are_accessible(page: Page, rey: User) -> None:
    sign_in(page, rey)
    for path in ("", "choose/", "agreement/"):
        assert_opened_page_is_usable(page, path)
    dialogue = gamma()
    Dialogue.objects.filter(pk=dialogue.pk).update(key=AWKWARD)
    dialogue.refresh_from_db()
    ann, bob = user(AWKWARD[:60]), user("bob")
    other = handed_in.approved(dialogue, bob, rey, {"op": "split", "at": 1, "offset": 13}, {"op": "merge", "at": 7})
    row = handed_in.submitted(dialogue, ann, *STEPS)
    review.add_remark(restructuring=row, version=5, place=5, text=AWKWARD, by=rey)
    ExampleSet.objects.create(name=AWKWARD, kind="further_split")
    paths = ("", "choose/?words_min=1", f"ask/?dialogue={dialogue.pk}", "agreement/", f"dialogues/{dialogue.pk}/")
    for path in (*paths, f"{row.token}/?diff=1", f"{row.token}/?at=2", f"{other.token}/"):
        assert_opened_page_is_usable(page, path)


def assert_opened_page_is_usable(page: Page, path: str) -> None:
    answer = page.goto(f"/restructurings/{path}")
    assert answer is not None
    assert answer.status == 200, path
    for one in page.locator("details").all():
        one.evaluate("box => { box.open = true; }")
    page.wait_for_load_state()
    assert_usable(page)
