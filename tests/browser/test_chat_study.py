"""A whole study of chats in a browser: five testers, two systems of the demo model, and the report's Table 6."""

import re

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Page, expect

from annotation.chats.plan import ChatPlan
from annotation.models import Assignment, Membership, Study
from annotation.monitoring import states
from annotation.roles import Role
from demo.model.completions import UNTUNED
from tests.annotation.chat_designs import chat_study, endpoint, system
from tests.annotation.setting import corpus, member
from tests.browser.watching import Watch, assert_fits, assert_usable, sign_in
from tests.demo_server import DemoServer
from tests.people import make_user

TESTERS = ("ann", "ben", "eve", "joe", "kim")
PLAN = ChatPlan(pace="none", silence=0.0, least_turns=2, most_turns=0, chats_each=2, practice=False)
WIDTHS = pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])


def demo_study(demo_model: DemoServer, backgrounds: int, **plan: object) -> Study:
    served = endpoint("Demo", base_url=demo_model.base_url, model="demo-rules", is_demo=True)
    untuned = endpoint("Untuned", base_url=demo_model.base_url, model=UNTUNED, is_demo=True)
    systems = [system("In steps", endpoint=served), system("In one piece", endpoint=untuned, mode="plain")]
    chosen = PLAN.as_json() | plan
    return chat_study(1, of=corpus(backgrounds), systems=systems, chat_plan=chosen, public_name='Chats <b>&" 👋')


def say(page: Page, text: str) -> None:
    """Send it and wait for the answer."""
    # Before the page's scripts are there, Enter only begins a new line.
    page.wait_for_load_state()
    before = page.locator(".turn--2").count()
    page.get_by_label("Your message").fill(text)
    page.keyboard.press("Enter")
    expect(page.locator(".turn--2").nth(before)).to_be_visible()
    expect(page.locator("[data-typing]")).to_be_hidden()


def chat_and_score(page: Page, points: str) -> None:
    page.wait_for_url(re.compile("/chat/$"))
    say(page, "Hello!")
    say(page, "And you?")
    page.get_by_role("button", name="Finish and score").click()
    expect(page.get_by_text("This is the chat that you had")).to_be_visible()
    page.keyboard.type(points)
    page.get_by_role("button", name="Submit").click()


def prefer(page: Page, answer: str) -> None:
    expect(page.get_by_role("heading", name="Which partner did you prefer?")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("^Chat [12]$"))).to_have_count(2)
    assert_usable(page)
    page.get_by_role("radio", name=answer).check()
    page.get_by_label("Why?").fill("It answered <b>in steps</b>")
    page.get_by_role("button", name="Submit").click()


def test_five_testers_chat_with_two_systems_and_the_report_has_table_6(
    page: Page, watch: Watch, demo_model: DemoServer, transactional_db: None
) -> None:
    study = demo_study(demo_model, len(TESTERS), asks_preference=True)
    for number, name in enumerate(TESTERS):
        tester: Membership = member(study, name)
        sign_in(page, tester.rater)
        page.goto(reverse("rate_next", args=[tester.token]))
        chat_and_score(page, "4353"[number % 2 :] + "4" * (number % 2))
        chat_and_score(page, "3242")
        prefer(page, "Partner A" if number % 2 else "Both about the same")
        expect(page.get_by_role("heading", name="All 2 rated")).to_be_visible()
    assert set(Assignment.objects.filter(study=study).values_list("state", flat=True)) == {"submitted"}
    researcher: User = make_user(Role.RESEARCHER)
    states.close(study=study, by=researcher)
    sign_in(page, researcher)
    page.goto(reverse("study_report", args=[study.pk]))
    table = page.get_by_role("table").filter(has_text="Engaging").first
    expect(table).to_contain_text("In steps")
    expect(table).to_contain_text("In one piece")
    expect(page.get_by_text("Table 6").first).to_be_visible()
    preferred = page.get_by_role("table").filter(has_text="Would rather not say")
    expect(preferred.get_by_role("row").filter(has_text="About the same")).to_contain_text("3")
    assert_fits(page)


@WIDTHS
def test_a_testers_chat_fits_is_accessible_and_says_how_far_it_is(
    page: Page, watch: Watch, demo_model: DemoServer, transactional_db: None
) -> None:
    tester = member(demo_study(demo_model, 3, practice=True), "ann")
    sign_in(page, tester.rater)
    page.goto(reverse("rate_next", args=[tester.token]))
    expect(page.get_by_role("heading", name="Practice chat")).to_be_visible()
    assert_usable(page)
    expect(page.get_by_text("0 of at least 2 turns")).to_be_visible()
    page.get_by_role("button", name="Finish and score").click()
    expect(page.get_by_text("Go on until you have said something")).to_be_visible()
    say(page, "Hi 👋 <b>&")
    expect(page.get_by_text("1 of at least 2 turns")).to_be_visible()
    say(page, "مرحبا")
    assert_usable(page)
    page.get_by_role("button", name="Finish and score").click()
    assert_usable(page)
