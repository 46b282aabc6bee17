"""A rater's whole way in a real browser: consent, practice, pairs, a break, what was rated, codes, leaving."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from annotation.models import Assignment, Membership, Rating, Study
from tests.annotation.checked_study import pairs, with_training
from tests.annotation.setting import TWO, corpus, member, study
from tests.browser.rating_page import begin, ready, submitted
from tests.browser.watching import PageMaker, assert_usable, sign_in

AWKWARD = 'A <b>study</b> & "quotes" 🎉 with a long name that goes on and on and on'


def awkward(**fields: object) -> Membership:
    made = with_training(study(of=corpus(2, TWO), versions=TWO))
    said = {"public_name": AWKWARD, "consent_text": "You agree. " * 200, "pay_note": "12 € an hour"}
    Study.objects.filter(pk=made.pk).update(**said, **fields)
    made.refresh_from_db()
    return member(made, "ann")


def looked_at(page: Page) -> None:
    assert_usable(page)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_rater_goes_from_the_open_link_to_their_code_and_out(new_page: PageMaker) -> None:
    page = new_page()
    ann = awkward(completion_code="CODE-1", break_every=30)
    sign_in(page, ann.rater)
    page.goto(f"/rate/{ann.token}/")
    expect(page.get_by_role("heading", name=AWKWARD)).to_be_visible()
    looked_at(page)
    page.get_by_role("button", name="I agree, go on").click()
    for _ in range(2):
        url = ready(page)
        looked_at(page)
        page.keyboard.type("444441")
        page.keyboard.press("Enter")
        submitted(page, url)
        expect(page.get_by_role("row", name="On-persona")).to_contain_text("further off")
        looked_at(page)
        page.locator("main .btn-primary").click()
    looked_at(page)
    page.get_by_role("button", name="Start rating").click()
    for _ in range(3):
        url = ready(page)
        page.keyboard.type("333333")
        page.keyboard.press("Enter")
        submitted(page, url)
    ready(page)
    rest(page)
    page.keyboard.type("555555")
    url = page.url
    page.keyboard.press("Enter")
    submitted(page, url)
    expect(page.get_by_label("Your completion code")).to_have_value("CODE-1")
    looked_at(page)
    page.get_by_role("link", name="What you rated").last.click()
    expect(page.get_by_role("row")).to_have_count(5)
    looked_at(page)
    page.get_by_role("link", name="Dialogue 4").click()
    ready(page)
    looked_at(page)
    leave(page, ann)


def rest(page: Page) -> None:
    """The break reminder takes no key, and goes at a click without losing what was chosen."""
    now = timezone.now()
    for number, assignment in enumerate(Assignment.objects.exclude(opened_at=None).order_by("-opened_at")):
        Assignment.objects.filter(pk=assignment.pk).update(opened_at=now - timedelta(minutes=10 + 12 * number))
    page.reload()
    ready(page)
    expect(page.get_by_text("You have been rating for")).to_be_visible()
    page.keyboard.press("2")
    expect(page.locator("input[type=radio]:checked")).to_have_count(1)
    looked_at(page)
    page.get_by_role("button", name="Later").click()
    expect(page.get_by_text("You have been rating for")).to_have_count(0)
    expect(page.locator("input[type=radio]:checked")).to_have_count(1)
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")


def leave(page: Page, rater: Membership) -> None:
    page.goto(f"/rate/{rater.token}/withdraw/")
    looked_at(page)
    page.get_by_role("checkbox", name="I want to leave this study").check()
    page.get_by_role("main").get_by_role("button", name="Leave the study").click()
    expect(page.get_by_role("heading", name="Thank you, and goodbye")).to_be_visible()
    expect(page.get_by_text("Your scores stay in the study, without your name.")).to_be_visible()
    looked_at(page)
    assert Membership.objects.get(pk=rater.pk).withdrawn_at is not None


def test_a_rater_who_does_not_agree_is_thanked_and_forgotten(page: Page) -> None:
    ann = awkward()
    sign_in(page, ann.rater)
    page.goto(f"/rate/{ann.token}/")
    page.get_by_role("button", name="I do not agree").click()
    expect(page.get_by_text("nothing about you is kept")).to_be_visible()
    assert not Membership.objects.exists()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_two_dialogues_are_compared_by_keyboard_alone(new_page: PageMaker, width: int) -> None:
    page = new_page()
    bob = member(pairs(), "bob")
    sign_in(page, bob.rater)
    url = begin(page, bob)
    looked_at(page)
    page.keyboard.type("12")
    expect(page.locator("[data-announce]")).to_have_text("Informative: Same, no difference")
    page.keyboard.type("9")
    page.keyboard.press("e")
    page.keyboard.press("7")
    expect(page.get_by_role("button", name="Message 7, mark for Natural")).to_be_focused()
    expect(page.get_by_role("region", name="Right dialogue")).to_be_visible()
    page.keyboard.press("Space")
    looked_at(page)
    page.keyboard.press("Escape")
    page.keyboard.type("3332")
    page.keyboard.press("Enter")
    submitted(page, url)
    ready(page)
    rating = Rating.objects.get()
    assert dict(rating.scores.values_list("metric", "value")) == {
        "interesting": -1, "informative": 0, "natural": 1, "engaging": 1, "on_topic": 1, "on_persona": 0,
    }  # fmt: skip
    assert rating.scores.get(metric="natural").evidence == [6]


@pytest.mark.parametrize("width", [390])
def test_a_phone_shows_one_dialogue_of_a_pair_at_a_time(new_page: PageMaker) -> None:
    page = new_page(has_touch=True, is_mobile=True)
    bob = member(pairs(), "bob")
    sign_in(page, bob.rater)
    begin(page, bob)
    left, right = (page.get_by_role("region", name=f"{side} dialogue") for side in ("Left", "Right"))
    expect(left).to_be_visible()
    expect(right).to_be_hidden()
    page.locator(".pair-switch label").nth(1).tap()
    expect(right).to_be_visible()
    expect(left).to_be_hidden()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("fields", "heading"),
    [
        ({"state": "paused"}, "This study is paused"),
        ({"state": "closed"}, "This study is closed"),
        ({}, "Your part ends"),
    ],
)
def test_every_end_is_a_page_that_reads_well(new_page: PageMaker, fields: dict[str, str], heading: str) -> None:
    page = new_page()
    made = study(of=corpus(1, TWO), versions=TWO)
    Study.objects.filter(pk=made.pk).update(screen_out_code="OUT-1", public_name=AWKWARD, **fields)
    ann = member(made, "ann")
    if not fields:
        Membership.objects.filter(pk=ann.pk).update(screened_out_at=timezone.now())
    sign_in(page, ann.rater)
    page.goto(f"/rate/{ann.token}/")
    expect(page.get_by_role("heading", name=heading)).to_be_visible()
    expect(page.get_by_label("Your code", exact=True)).to_have_count(0 if fields else 1)
    looked_at(page)
    page.goto("/rate/")
    looked_at(page)
