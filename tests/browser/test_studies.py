"""A researcher sets up a study, looks at what raters will see, launches, watches and closes it."""

import re

import pytest
from playwright.sync_api import Page, expect

from annotation.models import Study
from demo import simulation
from tests.annotation.setting import corpus, draft, member, study, user
from tests.browser.watching import assert_usable, sign_in


def test_a_researcher_goes_from_corpus_to_a_launched_and_closed_study(page: Page) -> None:
    corpus(3)
    ann = user("ann")
    sign_in(page, user("rey", "researcher"))
    page.goto("/studies/")
    page.get_by_role("link", name="New study").first.click()
    page.get_by_label("Name", exact=True).fill("Which version is best?")
    page.get_by_role("button", name="Make a draft").click()
    page.get_by_label("How many backgrounds").fill("2")
    # What it gives is said before it is saved.
    page.get_by_label("How many backgrounds").press("Tab")
    expect(page.get_by_text("8 dialogues from 2 backgrounds")).to_be_visible()
    page.get_by_role("button", name="Save and go on").click()
    page.get_by_role("button", name="Save and go on").click()
    page.get_by_label("Raters per dialogue").fill("2")
    page.get_by_role("button", name="Save and go on").click()
    page.get_by_role("link", name="Start the consent text from a draft").click()
    expect(page.get_by_label("Consent text")).to_have_value(re.compile("A draft to be adapted"))
    page.get_by_label("Consent text").fill("I agree.")
    page.get_by_role("button", name="Save and go on").click()
    page.get_by_role("link", name="Add a training item").click()
    page.get_by_role("link", name="d2", exact=True).click()
    page.get_by_label("Natural").select_option("4")
    page.get_by_label("Feedback").fill("People write like this.")
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_text("d2 is a training item.")).to_be_visible()
    page.get_by_role("button", name="Save and go on").click()
    # No analysis plan.
    page.get_by_role("button", name="Save and go on").click()
    page.get_by_label("Ethics approval").fill("Board 7")
    page.get_by_role("button", name="Save and go on").click()
    expect(page.get_by_text("A reviewer would ask:")).to_be_visible()
    page.get_by_role("link", name="See what raters see").click()
    expect(page.get_by_text("I agree.")).to_be_visible()
    page.get_by_role("link", name="Training", exact=True).click()
    expect(page.get_by_text("People write like this.")).to_be_visible()
    page.get_by_role("link", name="Dialogues", exact=True).click()
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_text("2 of 8")).to_be_visible()
    page.get_by_role("link", name="Which version is best?").click()
    page.get_by_role("button", name="Launch study").click()
    expect(page.get_by_text("No raters yet")).to_be_visible()
    page.get_by_label("Username of an existing account").fill("ann")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("row", name="ann 0 of 8")).to_be_visible()
    page.get_by_role("link", name="Close", exact=True).click()
    page.get_by_role("button", name="Close study").click()
    expect(page.get_by_text("Closed. Its ratings stay as they are.")).to_be_visible()
    made = Study.objects.get()
    assert (made.state, made.raters_per_item, made.items.count()) == ("closed", 2, 9)
    assert made.memberships.get().rater == ann


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_study_pages_fit_and_are_accessible(page: Page) -> None:
    chats = corpus(2)
    waiting = draft(of=chats)
    open_one = study(of=chats)
    ann = member(open_one, "ann")
    rehearsal = study(of=chats, is_simulated=True)
    simulation.simulate(study=rehearsal, raters=2, seed=1)
    sign_in(page, user("rey", "researcher"))
    for path in ("/studies/", f"/studies/new/?corpus={chats.pk}"):
        assert_usable(page, path)
    for one in (waiting, open_one, rehearsal):
        assert_usable(page, f"/studies/{one.pk}/")
    expect(page.get_by_text("simulated ratings").first).to_be_visible()
    sign_in(page, ann.rater)
    for path in ("/rate/", f"/rate/{ann.token}/"):
        assert_usable(page, path)
