"""A researcher previews, builds and reads a training set in a browser, on a desk and on a phone."""

import pytest
from playwright.sync_api import Page, expect

from annotation.roles import Role
from dialogues.models import Corpus
from generation.models import TrainingSet
from tests.browser.watching import assert_usable, sign_in
from tests.generation.test_training_building import built, families
from tests.people import make_user

LOOKS = [(1280, "light"), (390, "dark"), (1280, "dark"), (390, "light")]


@pytest.fixture
def corpus(page: Page) -> Corpus:
    """Twelve backgrounds, and a researcher who is logged in."""
    sign_in(page, make_user(Role.RESEARCHER))
    return families()


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_a_set_is_previewed_changed_built_read_and_deleted(page: Page, corpus: Corpus) -> None:
    page.goto("/generation/training/")
    assert_usable(page)
    page.get_by_role("link", name="Build a training set").click()
    page.get_by_label("Corpus").select_option("Chats")
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("Name").fill('Steps <b>&"')
    page.get_by_text("Only some of them").click()
    page.get_by_label("Most messages").fill("9")
    assert_usable(page)
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("heading", level=1)).to_have_text('Preview of Steps <b>&" v1')
    assert_usable(page)
    assert not TrainingSet.objects.exists()
    page.get_by_role("button", name="Change something").click()
    expect(page.get_by_label("Most messages")).to_have_value("9")
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Build it").dblclick()
    expect(page.get_by_role("heading", level=1)).to_have_text('Steps <b>&" v1')
    assert TrainingSet.objects.get().is_built
    assert_usable(page)
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_text("2–2 of 12")).to_be_visible()
    page.get_by_role("link", name="Delete…").click()
    assert_usable(page)
    page.get_by_role("button", name="Delete the set").click()
    expect(page.get_by_text("No training set yet")).to_be_visible()


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_a_set_that_is_being_built_says_so_and_is_stopped(page: Page, corpus: Corpus) -> None:
    made = built(corpus, "Done")
    row = TrainingSet.objects.create(name="Large", corpus=corpus, recipe=made.recipe, total=9000)
    assert_usable(page, "/generation/training/", row.get_absolute_url())
    expect(page.get_by_text("Waiting for a worker")).to_be_visible()
    TrainingSet.objects.filter(pk=row.pk).update(done=4500, told_at=row.created_at)
    expect(page.get_by_text("4,500 of 9,000", exact=True).first).to_be_visible()
    assert_usable(page)
    page.get_by_role("button", name="Stop and keep nothing").click()
    expect(page.get_by_text("Nothing of it was kept")).to_be_visible()


def test_trained_text_is_marked_by_more_than_its_colour(page: Page, corpus: Corpus) -> None:
    page.goto(built(corpus, "Done").get_absolute_url())
    turn = page.locator(".training-turn--trained").first
    expect(turn.get_by_text("trained", exact=True)).to_be_visible()
    line = turn.locator(".training-words").first.evaluate("one => getComputedStyle(one).textDecorationLine")
    assert line == "underline"
