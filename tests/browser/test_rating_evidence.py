"""Notes, marked messages and undo in a real browser: by keyboard, by touch, offline, in two tabs, after a restart."""

import pytest
from playwright.sync_api import Page, expect

from annotation.models import Assignment, Membership, Rating, Score
from tests.annotation.setting import KEYS, TWO, corpus, member, study
from tests.browser.rating_page import begin, point, ready, submitted, values
from tests.browser.watching import PageMaker, Watch, assert_accessible, assert_usable, sign_in


def press(page: Page, keys: str) -> None:
    for key in keys.split():
        page.keyboard.press(key)


def heard(page: Page) -> object:
    return page.locator("[data-announce]")


def evidence() -> dict[str, list[int]]:
    scores = Score.objects.filter(rating__is_current=True).exclude(evidence=[])
    return {score.metric: score.evidence for score in scores}


def test_messages_are_marked_and_notes_written_by_keyboard_alone(page: Page, ann: Membership) -> None:
    url = begin(page, ann)
    press(page, "4 5 e 3 Space ArrowUp Enter")
    expect(heard(page)).to_have_text("Message 2 marked for Natural.")  # type: ignore[arg-type]
    expect(page.get_by_role("button", name="Message 3, mark for Natural")).to_have_attribute("aria-pressed", "true")
    assert_accessible(page)
    press(page, "Escape Shift+C")
    page.keyboard.type("3 bursts in a row")
    press(page, "Escape 2 e 1 Space Space Escape")
    expect(heard(page)).to_have_text("Message 1 no longer marked for Engaging.")  # type: ignore[arg-type]
    press(page, "3 3 3 Enter")
    submitted(page, url)
    assert values() == [[4, 5, 2, 3, 3, 3]]
    assert evidence() == {"natural": [1, 2]}
    assert Score.objects.get(metric="natural").comment == "3 bursts in a row"


def test_two_digits_reach_a_message_of_two_digits(page: Page, ann: Membership) -> None:
    for row in ann.study.corpus.dialogues.all():
        messages = row.messages * 4
        type(row).objects.filter(pk=row.pk).update(messages=messages, message_count=len(messages))
    begin(page, ann)
    press(page, "e 1 2 Space 9 Space")
    expect(page.locator("[name=evidence-interesting]")).to_have_value("9, 12")


def test_a_click_on_a_number_marks_for_the_question_at_hand_and_what_is_typed_is_marked_too(
    page: Page, ann: Membership
) -> None:
    begin(page, ann)
    page.locator("[data-question=engaging] .point").first.click()
    page.locator(".mark").nth(1).click()
    expect(page.locator("[name=evidence-engaging]")).to_have_value("2")
    page.locator("[data-question=engaging] summary").click()
    # "Saved" stands there from the first mark: wait for what is sent of these.
    with page.expect_response(lambda answer: "[1,3]" in (answer.request.post_data or "")):
        page.locator("[name=evidence-engaging]").fill("4 2 4")
    expect(page.locator(".mark[aria-pressed=true]")).to_have_count(2)
    expect(page.locator("[data-saved]")).to_have_text("Saved")
    draft = Assignment.objects.get(draft_version__gt=0).draft
    assert draft["evidence"] == {"engaging": [1, 3]}
    page.reload()
    ready(page)
    expect(page.locator("[data-question=engaging] details")).to_have_attribute("open", "")
    expect(page.locator("[data-question=engaging] summary")).to_contain_text("2 marked")


@pytest.mark.parametrize("width", [390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_messages_are_marked_by_touch_on_a_phone(new_page: PageMaker) -> None:
    page = new_page(has_touch=True, is_mobile=True)
    rater = member(study(of=corpus(1, TWO), versions=TWO), "ann")
    sign_in(page, rater.rater)
    url = begin(page, rater)
    page.locator("[data-question=natural] summary").tap()
    page.locator("[data-question=natural]").get_by_role("button", name="Mark").tap()
    expect(page.get_by_text("Messages that led to your score for Natural")).to_be_visible()
    assert_usable(page)
    assert page.locator(".mark").first.bounding_box()["width"] >= 24  # type: ignore[index]
    page.locator(".bubble").nth(2).tap()
    page.get_by_role("button", name="Done").tap()
    for key in KEYS:
        point(page, key, 2).tap()  # type: ignore[attr-defined]
    page.get_by_role("button", name="Submit").tap()
    submitted(page, url)
    assert evidence() == {"natural": [2]}


def test_notes_and_marks_made_offline_arrive_later(page: Page, ann: Membership, watch: Watch) -> None:
    watch.expect("ERR_INTERNET_DISCONNECTED")
    url = begin(page, ann)
    page.context.set_offline(True)
    press(page, "Shift+C")
    page.keyboard.type("written offline")
    press(page, "Escape e 2 Space Escape 3 3 3 3 3 3")
    expect(page.locator("[data-saved]")).to_have_text("Not saved yet, retrying")
    press(page, "Enter")
    page.context.set_offline(False)
    submitted(page, url)
    assert evidence() == {"interesting": [1]}
    assert Score.objects.get(metric="interesting").comment == "written offline"


def test_two_tabs_with_different_notes_are_shown_side_by_side(page: Page, ann: Membership, watch: Watch) -> None:
    watch.expect("status of 409")
    begin(page, ann)
    other = page.context.new_page()
    begin(other, ann)
    press(other, "e 1 Space")
    expect(other.locator("[data-saved]")).to_have_text("Saved")
    press(page, "Shift+C")
    page.keyboard.type("mine")
    dialog = page.get_by_role("dialog", name="Two sets of scores")
    expect(dialog).to_contain_text("Interesting: note")
    expect(dialog).to_contain_text("Interesting: messages")
    dialog.get_by_role("button", name="Take what is there").click()
    expect(page.locator("[name=evidence-interesting]")).to_have_value("1")
    expect(page.locator("[name=comment-interesting]")).to_have_value("")


def test_z_takes_the_last_submit_back_with_its_scores(page: Page, ann: Membership) -> None:
    first = begin(page, ann)
    press(page, "3 3 3 3 3 4 Enter")
    submitted(page, first)
    ready(page)
    press(page, "z")
    page.wait_for_url(first)
    ready(page)
    expect(page.get_by_text("Taken back. Change what you like and submit again.")).to_be_visible()
    expect(page.locator("input[type=radio]:checked")).to_have_count(6)
    assert not Rating.objects.filter(is_current=True).exists()
    press(page, "5 Enter")
    submitted(page, first)
    assert values() == [[5, 3, 3, 3, 3, 4]]


def test_without_a_script_notes_and_message_numbers_are_plain_fields(new_page: PageMaker) -> None:
    page = new_page(java_script_enabled=False)
    rater = member(study(of=corpus(1, TWO), versions=TWO), "ann")
    sign_in(page, rater.rater)
    page.goto(f"/rate/{rater.token}/")
    url = page.url
    for key in KEYS:
        point(page, key, 4).click()  # type: ignore[attr-defined]
    page.locator("[data-question=natural] summary").click()
    page.locator("[name=comment-natural]").fill("plain")
    page.locator("[name=evidence-natural]").fill("1, 4")
    page.get_by_role("button", name="Submit").click()
    submitted(page, url)
    assert evidence() == {"natural": [0, 3]}


def test_twenty_items_are_rated_with_at_most_eight_keys_each(page: Page) -> None:
    rater = member(study(of=corpus(10, TWO), versions=TWO), "ann")
    sign_in(page, rater.rater)
    url = begin(page, rater)
    pressed = 0
    for item in range(20):
        for key in ("1", "2", "3", "4", "5", "4", "Enter"):
            page.keyboard.press(key)
            pressed += 1
        url = submitted(page, url)
        if item < 19:
            ready(page)
    expect(page.get_by_role("heading", name="All 20 rated. Thank you.")).to_be_visible()
    assert pressed <= 20 * 8
    assert values() == [[1, 2, 3, 4, 5, 4]] * 20


@pytest.mark.parametrize("width", [390])
def test_twenty_items_are_rated_by_touch_alone(new_page: PageMaker) -> None:
    page = new_page(has_touch=True, is_mobile=True)
    rater = member(study(of=corpus(10, TWO), versions=TWO), "ann")
    sign_in(page, rater.rater)
    url = begin(page, rater)
    for item in range(20):
        for place, key in enumerate(KEYS):
            point(page, key, 1 + place % 5).tap()  # type: ignore[attr-defined]
        page.get_by_role("button", name="Submit").tap()
        url = submitted(page, url)
        if item < 19:
            ready(page)
    assert values() == [[1, 2, 3, 4, 5, 1]] * 20
