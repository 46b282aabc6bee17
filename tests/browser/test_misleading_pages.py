"""Pages that must not mislead: Space scrolls, refusals name their cause, the editor fits a phone. At both widths."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from annotation.design.texts import DEFAULT_GUIDELINES
from annotation.models import Operation, Rating, Restructuring
from annotation.rating import membership_changes
from tests.annotation import setting
from tests.annotation.checked_study import with_training
from tests.annotation.restructured import asked
from tests.annotation.setting import TWO, corpus, member, study
from tests.browser.watching import Watch, assert_accessible, assert_usable, sign_in

both_widths = pytest.mark.parametrize("width", [1280, 390])
pytestmark = both_widths


def begin(page: Page, of: object = None) -> object:
    """A rater's first item, its script at work."""
    ann = member(of or study(of=corpus(2, TWO), versions=TWO), "ann")  # type: ignore[arg-type]
    sign_in(page, ann.rater)
    page.goto(f"/rate/{ann.token}/")
    ready(page)
    return ann


def ready(page: Page) -> None:
    page.locator("[data-rating][data-ready]").wait_for()


def top(page: Page) -> float:
    """Where the page is scrolled to, once it stands still."""
    return float(page.evaluate("() => new Promise((done) => setTimeout(() => done(window.scrollY), 150))"))


def make_tall(page: Page) -> None:
    """As with a long dialogue: there is something to scroll."""
    page.evaluate("document.querySelector('.rate-scene').style.minHeight = '4000px'")


def test_space_scrolls_and_never_scores(page: Page) -> None:
    begin(page)
    make_tall(page)
    page.keyboard.press("4")
    expect(page.locator("[data-saved]")).to_have_text("Saved")
    page.evaluate("window.scrollTo(0, 0)")
    before = top(page)
    page.keyboard.press("Space")
    assert top(page) > before + 300
    page.keyboard.press("Shift+Space")
    assert abs(top(page) - before) < 5
    expect(page.locator("[data-question] input:checked")).to_have_count(1)
    # A click leaves the focus on a message's number, which Space must not take back.
    mark = page.locator(".mark").first
    mark.click()
    expect(mark).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Space")
    expect(mark).to_have_attribute("aria-pressed", "true")


def test_space_marks_while_messages_are_marked_and_the_key_sheet_says_both(page: Page) -> None:
    begin(page)
    page.keyboard.press("e")
    page.keyboard.press("Space")
    expect(page.locator(".mark[aria-pressed=true]")).to_have_count(1)
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("scroll down, Shift Space up; it never scores")
    assert_usable(page)


@pytest.mark.parametrize("key", ["Enter", "ArrowRight"])
def test_practice_feedback_goes_on_by_keyboard(page: Page, key: str) -> None:
    made = with_training(study(of=corpus(4, TWO), versions=TWO), lessons=1)
    begin(page, made)
    page.keyboard.type("333333")
    page.keyboard.press("Enter")
    page.wait_for_url("**/feedback/")
    assert_usable(page)
    page.keyboard.press(key)
    expect(page.get_by_role("heading", name="Practice is done")).to_be_visible()


def test_the_guidelines_promise_what_is_so(page: Page) -> None:
    begin(page)
    shown = page.locator("[data-guidelines]")
    expect(shown).to_contain_text("The people who run the study can.")
    for untrue in ("nobody else sees", "no right answers", "beside it"):
        assert untrue not in DEFAULT_GUIDELINES
        expect(shown).not_to_contain_text(untrue)


def test_after_an_account_switch_nothing_is_lost_and_nothing_is_sent_as_the_other(page: Page, watch: Watch) -> None:
    watch.expect("status of 403")
    ann = begin(page)
    sign_in(page, setting.user("bob"))
    page.keyboard.press("2")
    expect(page.locator("[data-saved]")).to_contain_text("somebody else is logged in")
    sign_in(page, ann.rater)  # type: ignore[attr-defined]
    expect(page.locator("[data-saved]")).to_have_text("Saved")
    page.keyboard.type("33333")
    page.keyboard.press("Enter")
    page.wait_for_function("before => location.href !== before", arg=page.url)
    assert [rating.assignment.membership_id for rating in Rating.objects.all()] == [ann.pk]  # type: ignore[attr-defined]


def test_a_rater_who_left_is_told_so(page: Page, watch: Watch) -> None:
    watch.expect("status of 404")
    ann = begin(page)
    membership_changes.withdraw(membership=ann, by=None)  # type: ignore[arg-type]
    page.keyboard.press("2")
    expect(page.locator("[data-saved]")).to_have_text("You are no longer in this study, so nothing more can be kept.")


def test_a_comment_with_nul_is_refused_in_words(page: Page, watch: Watch) -> None:
    watch.expect("status of 400")
    begin(page)
    page.keyboard.press("c")
    page.locator("#comment").evaluate(
        "box => { box.value = 'a\\0b'; box.dispatchEvent(new Event('input', { bubbles: true })); }"
    )
    expect(page.locator("[data-saved]")).to_contain_text("comment cannot be kept: its text contains a NUL character")


def editor(page: Page, person: User | str = "ann") -> Restructuring:
    row = asked(person)
    sign_in(page, row.annotator)
    page.goto(row.get_absolute_url())
    page.locator("[data-restructuring][data-ready]").wait_for()
    return row


def test_every_tool_of_the_editor_is_in_sight(page: Page, width: int) -> None:
    editor(page)
    assert_usable(page)
    tools = page.locator("[data-tools] button").all()
    assert len(tools) == 10
    for tool in tools:
        box = tool.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    spill = "bar => bar.scrollWidth - bar.clientWidth"
    assert page.locator(".restructure-tools").evaluate(spill) <= 0
    assert page.locator(".focus-bar > .wide").evaluate(spill) <= 0


def test_a_cut_inside_a_word_warns_and_one_between_words_does_not(page: Page) -> None:
    editor(page)
    first = page.locator("[data-pieces] textarea").first
    warning = page.locator("[data-warning]")
    for at, warns in ((11, True), (9, False)):
        first.evaluate("(box, at) => { box.focus(); box.setSelectionRange(at, at); }", at)
        page.keyboard.press("Enter")
        expect(page.locator("[data-pieces] textarea")).to_have_count(17)
        if warns:
            expect(warning).to_have_text("That cut is inside the word “how”. Undo it if you did not mean it.")
            assert_accessible(page)
        else:
            expect(warning).to_be_hidden()
        page.keyboard.press("Control+z")
        expect(page.locator("[data-pieces] textarea")).to_have_count(16)
        expect(warning).to_be_hidden()


def test_what_one_reviewer_edits_is_never_logged_as_anothers(page: Page, watch: Watch) -> None:
    watch.expect("status of 403")
    row = asked("ann", state="submitted")
    rey, ruth = setting.user("rey", "researcher"), setting.user("ruth", "researcher")
    sign_in(page, rey)
    page.goto(row.get_absolute_url())
    page.locator("[data-restructuring][data-ready]").wait_for()
    sign_in(page, ruth)
    first = page.locator("[data-pieces] textarea").first
    first.evaluate("box => { box.focus(); box.setSelectionRange(9, 9); }")
    page.keyboard.press("Enter")
    expect(page.locator("[data-saved]")).to_contain_text("somebody else is logged in")
    assert not Operation.objects.exists()
    sign_in(page, rey)
    expect(page.locator("[data-saved]")).to_have_text("Saved")
    assert [operation.person_id for operation in Operation.objects.all()] == [rey.pk]
