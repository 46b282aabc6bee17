"""Designing a study of chats in the browser: its own steps fit, are accessible, and work without a script."""

import pytest
from playwright.sync_api import Page, expect

from annotation.design import launch
from annotation.models import Study
from tests.annotation.chat_designs import chat_draft, endpoint, system
from tests.annotation.setting import corpus, user
from tests.browser.watching import PageMaker, assert_usable, sign_in

LONG = "A-very-long-name-123"


@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_of_a_chat_study_fits_and_is_accessible(page: Page) -> None:
    systems = [system(LONG), system("<b>Plain</b>", mode="plain", delimiter="")]
    one = chat_draft(of=corpus(4), systems=systems, background_count=3, name="Chats & <i>more</i>")
    launched = launch.launch(study=chat_draft(of=one.corpus, background_count=3), by=None)
    sign_in(page, user("rey", "researcher"))
    for step in ("basics", "systems", "conversation", "rubric", "raters", "words", "ethics"):
        assert_usable(page, f"/studies/{one.pk}/design/{step}/")
    assert_usable(page, f"/studies/{one.pk}/", f"/studies/{launched.pk}/design/")
    for part in ("welcome", "training", "items"):
        assert_usable(page, f"/studies/{one.pk}/preview/?part={part}", f"/studies/{launched.pk}/preview/?part={part}")


def test_a_study_of_chats_is_set_up_and_launched_without_a_script(new_page: PageMaker) -> None:
    corpus(4)
    endpoint("Tuned model", delimiter="<|cut|>")
    endpoint("Untuned model")
    page = new_page(java_script_enabled=False)
    sign_in(page, user("rey", "researcher"))
    page.goto("/studies/new/")
    page.get_by_label("Name", exact=True).fill("Table 6")
    page.get_by_label("Chat with a system, then score the chat").check()
    page.get_by_role("button", name="Make a draft").click()
    expect(page.get_by_role("heading", name="Systems", level=1)).to_be_visible()
    for place, (name, at) in enumerate((("Tuned", "Tuned model"), ("Untuned", "Untuned model"))):
        row = page.get_by_role("group", name=f"System {place + 1}")
        row.get_by_label("Name").fill(name)
        row.get_by_label("Endpoint").select_option(label=at)
    page.get_by_role("button", name="Another system").click()
    expect(page.get_by_role("group", name="System 3")).to_be_visible()
    expect(page.get_by_role("group", name="System 1").get_by_label("Name")).to_have_value("Tuned")
    page.get_by_role("button", name="Save and go on").click()
    expect(page.get_by_role("heading", name="Conversation", level=1)).to_be_visible()
    page.get_by_label("Least turns").fill("2")
    page.get_by_role("button", name="Save and go on").click()
    expect(page.get_by_role("heading", name="Questions", level=1)).to_be_visible()
    expect(page.get_by_role("radio", name="Four metrics for live chats")).to_be_checked()
    page.get_by_role("link", name="Raters").click()
    page.get_by_label("Chats of each system about each background").fill("2")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name="Check and launch").click()
    expect(page.get_by_text("4 backgrounds × 2 systems, 2 chats of each: 16 chats.")).to_be_visible()
    page.get_by_role("button", name="Launch study").click()
    expect(page.get_by_text("Launched. Raters can begin.")).to_be_visible()
    made = Study.objects.get(name="Table 6")
    assert [(row.version.name, row.delimiter) for row in made.systems.all()] == [
        ("Tuned", "<|cut|>"), ("Untuned", "<|msg|>"),
    ]  # fmt: skip
    assert made.chat_plan["least_turns"] == 2
    assert made.items.count() == 9
