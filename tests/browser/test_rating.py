"""Rating in a real browser: by keyboard, by mouse, by touch, across reloads and outages."""

import pytest
from playwright.sync_api import Page, Route, expect

from annotation.models import Assignment, Membership, Rating
from tests.annotation.setting import KEYS, TWO, corpus, member, study
from tests.browser.rating_page import begin, point, ready, submitted, values
from tests.browser.watching import PageMaker, Watch, assert_accessible, assert_usable, sign_in


def test_items_are_rated_by_keyboard_alone_with_seven_keys_each(page: Page, ann: Membership) -> None:
    url = begin(page, ann)
    for item in range(8):
        for digit in "123454":
            page.keyboard.press(digit)
        page.keyboard.press("Enter")
        url = submitted(page, url)
        if item < 7:
            ready(page)
    expect(page.get_by_role("heading", name="All 8 rated. Thank you.")).to_be_visible()
    assert_accessible(page)
    assert values() == [[1, 2, 3, 4, 5, 4]] * 8


def test_arrows_choose_a_question_and_the_number_pad_scores_it(page: Page, ann: Membership) -> None:
    begin(page, ann)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.locator("[data-question=natural]")).to_have_attribute("data-current", "")
    page.keyboard.press("Numpad2")
    expect(point(page, "natural", 2).locator("input")).to_be_checked()  # type: ignore[attr-defined]
    expect(page.locator("[data-question=engaging]")).to_have_attribute("data-current", "")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Tab")
    expect(page.locator("[data-question=engaging]")).to_have_attribute("data-current", "")
    page.keyboard.press("9")
    expect(page.locator("[data-question=engaging] input:checked")).to_have_count(0)
    expect(page.locator("[data-question=natural] [data-word]")).to_have_text("mostly artificial")


def test_enter_on_an_incomplete_form_says_what_is_missing_and_goes_there(page: Page, ann: Membership) -> None:
    begin(page, ann)
    with page.expect_response(lambda answer: "/draft/" in answer.url) as kept:
        page.keyboard.press("4")
        page.keyboard.press("Enter")
    # That the first score has been saved meanwhile does not hide what is missing.
    kept.value.finished()
    page.evaluate("() => new Promise(requestAnimationFrame)")
    expect(page.locator("[data-saved]")).to_have_text("Choose a point for Informative.")
    expect(page.locator("[data-question=informative]")).to_have_attribute("data-current", "")
    assert not Rating.objects.exists()
    page.keyboard.press("3")
    expect(page.locator("[data-saved]")).to_have_text("Saved")


def test_keys_rest_while_typing_and_in_the_key_sheet(page: Page, ann: Membership) -> None:
    begin(page, ann)
    page.keyboard.press("c")
    page.keyboard.type("5 of f g? yes")
    expect(page.get_by_label("Comment", exact=True)).to_have_value("5 of f g? yes")
    expect(page.locator("input:checked")).to_have_count(0)
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert_accessible(page)
    page.keyboard.press("3")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.locator("input:checked")).to_have_count(0)
    page.keyboard.press("g")
    expect(page.locator("[data-guidelines]")).not_to_have_attribute("open", "")
    page.keyboard.press("f")
    page.keyboard.press("Escape")
    page.keyboard.press("3")
    expect(page.locator("input:checked")).to_have_count(1)


def test_a_held_key_scores_one_question(page: Page, ann: Membership) -> None:
    begin(page, ann)
    page.keyboard.down("3")
    page.keyboard.down("3")
    page.keyboard.down("3")
    page.keyboard.up("3")
    expect(page.locator("input:checked")).to_have_count(1)


def test_left_reviews_the_previous_item_and_a_correction_supersedes(page: Page, ann: Membership) -> None:
    first = begin(page, ann)
    page.keyboard.type("333333")
    page.keyboard.press("Enter")
    second = submitted(page, first)
    ready(page)
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(first)
    ready(page)
    expect(page.get_by_role("heading", name="A dialogue you rated")).to_be_visible()
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    page.wait_for_url(second)
    assert values() == [[1, 3, 3, 3, 3, 3]]
    assert Rating.objects.count() == 2


def test_items_are_rated_by_mouse_alone(page: Page, ann: Membership) -> None:
    url = begin(page, ann)
    assert_accessible(page)
    for _ in range(2):
        for key in KEYS:
            point(page, key, 5).click()  # type: ignore[attr-defined]
        page.get_by_role("button", name="Submit").click()
        url = submitted(page, url)
        ready(page)
    assert values() == [[5] * 6] * 2


@pytest.mark.parametrize("width", [390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_items_are_rated_by_touch_on_a_phone(new_page: PageMaker) -> None:
    page = new_page(has_touch=True, is_mobile=True)
    rater = member(study(of=corpus(1, TWO), versions=TWO), "ann")
    sign_in(page, rater.rater)
    url = begin(page, rater)
    assert_usable(page)
    for key in KEYS:
        target = point(page, key, 2)
        assert target.bounding_box()["height"] >= 44  # type: ignore[attr-defined]
        target.tap()  # type: ignore[attr-defined]
    page.get_by_role("button", name="Submit").tap()
    submitted(page, url)
    assert values() == [[2] * 6]


def test_what_was_chosen_is_there_after_a_reload_and_on_another_device(
    page: Page, ann: Membership, new_page: PageMaker
) -> None:
    url = begin(page, ann)
    page.keyboard.type("45")
    expect(page.locator("[data-saved]")).to_have_text("Saved")
    page.reload()
    ready(page)
    expect(page.locator("input:checked")).to_have_count(2)
    expect(page.locator("[data-question=natural]")).to_have_attribute("data-current", "")
    other = new_page()
    sign_in(other, ann.rater)
    other.goto(f"/rate/{ann.token}/")
    assert other.url == url
    expect(other.locator("input:checked")).to_have_count(2)
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0


def test_a_double_click_on_submit_makes_one_rating(page: Page, ann: Membership) -> None:
    url = begin(page, ann)
    page.keyboard.type("333333")
    page.get_by_role("button", name="Submit").dblclick()
    submitted(page, url)
    assert Rating.objects.count() == 1
    page.go_back()
    page.wait_for_url(url)
    ready(page)
    page.get_by_role("button", name="Save changes").click()
    submitted(page, url)
    assert Rating.objects.count() == 1


def test_nothing_is_called_saved_while_the_server_is_out_of_reach_and_all_of_it_arrives_later(
    page: Page, ann: Membership, watch: Watch
) -> None:
    watch.expect("ERR_INTERNET_DISCONNECTED")
    url = begin(page, ann)
    page.context.set_offline(True)
    page.keyboard.type("333333")
    expect(page.locator("[data-saved]")).to_have_text("Not saved yet, retrying")
    page.keyboard.press("Enter")
    expect(page.locator("[data-saved]")).to_contain_text("Not saved yet")
    assert not Rating.objects.exists()
    page.context.set_offline(False)
    submitted(page, url)
    assert values() == [[3] * 6]


def test_scores_wait_through_a_log_out_and_are_sent_after_logging_in_again(
    page: Page, ann: Membership, watch: Watch
) -> None:
    watch.expect("status of 403")
    begin(page, ann)
    page.context.clear_cookies(name="sessionid")
    page.keyboard.type("12")
    expect(page.locator("[data-saved]")).to_contain_text("you are logged out")
    sign_in(page, ann.rater)
    expect(page.locator("[data-saved]")).to_have_text("Saved")
    assert Assignment.objects.get(draft_version=1).draft["scores"] == {"interesting": 1, "informative": 2}


def test_a_submit_whose_answer_was_lost_is_sent_again_and_makes_one_rating(
    page: Page, ann: Membership, watch: Watch
) -> None:
    watch.expect("ERR_FAILED|net::")
    url = begin(page, ann)
    sent = lose_the_first_answer(page)
    page.keyboard.type("333333")
    page.keyboard.press("Enter")
    submitted(page, url)
    assert len(sent) == 2
    assert sent[0] == sent[1]
    assert Rating.objects.count() == 1


def lose_the_first_answer(page: Page) -> list[str]:
    """Let the first submission reach the server and lose its answer; the list fills with what was sent."""
    sent: list[str] = []

    def handle(route: Route) -> None:
        sent.append(route.request.post_data or "")
        if len(sent) == 1:
            route.fetch()
            route.abort()
        else:
            route.continue_()

    page.route("**/submit/?**", handle)
    return sent


def test_a_submission_waits_for_the_draft_that_was_sent_before_it(page: Page, ann: Membership) -> None:
    url = begin(page, ann)
    held: list[Route] = []
    submissions: list[str] = []
    page.on("request", lambda request: submissions.append(request.url) if "/submit/" in request.url else None)
    page.route("**/draft/?**", lambda route: held.append(route))
    with page.expect_request("**/draft/?**"):
        page.keyboard.press("1")
    for digit in "23454":
        page.keyboard.press(digit)
    page.keyboard.press("Enter")
    page.wait_for_timeout(300)  # time in which a submission could overtake the draft
    assert not submissions
    held[0].continue_()
    submitted(page, url)
    assert values() == [[1, 2, 3, 4, 5, 4]]


def test_two_tabs_with_different_scores_are_shown_side_by_side(page: Page, ann: Membership, watch: Watch) -> None:
    watch.expect("status of 409")
    begin(page, ann)
    other = page.context.new_page()
    begin(other, ann)
    other.keyboard.type("55")
    expect(other.locator("[data-saved]")).to_have_text("Saved")
    page.keyboard.type("1")
    dialog = page.get_by_role("dialog", name="Two sets of scores")
    expect(dialog).to_be_visible()
    assert_accessible(page)
    dialog.get_by_role("button", name="Take what is there").click()
    expect(point(page, "interesting", 5).locator("input")).to_be_checked()  # type: ignore[attr-defined]
    assert Assignment.objects.get(draft_version=1).draft["scores"] == {"interesting": 5, "informative": 5}


def test_an_item_is_skipped_with_a_reason(page: Page, ann: Membership) -> None:
    url = begin(page, ann)
    page.keyboard.press("s")
    page.get_by_label("Why do you skip it?").select_option("I cannot judge it")
    page.get_by_role("button", name="Skip this dialogue").click()
    submitted(page, url)
    assert Assignment.objects.get(state="skipped").skip_reason == "cannot-judge"


def test_a_browser_without_scripts_rates_with_the_plain_form(new_page: PageMaker) -> None:
    page = new_page(java_script_enabled=False)
    rater = member(study(of=corpus(1, TWO), versions=TWO), "ann")
    sign_in(page, rater.rater)
    page.goto(f"/rate/{rater.token}/")
    url = page.url
    for key in KEYS:
        point(page, key, 4).click()  # type: ignore[attr-defined]
    page.get_by_role("button", name="Submit").click()
    submitted(page, url)
    assert values() == [[4] * 6]
