"""What a page has ticked before anybody ticks, and how a fresh house gets its examples."""

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from annotation.roles import Role
from dialogues.models import Dialogue
from generation import example_sets
from generation.models import ExampleSet
from tests.annotation import handed_in, setting
from tests.browser.watching import assert_usable, sign_in
from tests.generation.runs import NOWHERE, endpoint_at
from tests.generation.written_runs import written_run
from tests.people import make_user


@pytest.mark.parametrize("width", [1280, 390])
def test_one_rewrite_by_hand_is_offered_with_what_it_costs_and_not_ticked(page: Page) -> None:
    corpus = setting.corpus(6)
    handed_in.approved(Dialogue.objects.get(key="d0-gamma"), setting.user("ann"), setting.user("rey", "researcher"))
    example_sets.load_all()
    endpoint_at(NOWHERE, name="Judge", model="judge")
    sign_in(page, make_user(Role.RESEARCHER))
    page.goto(f"{reverse('generation:judge_new')}?corpus={corpus.pk}")
    by_hand = page.get_by_label("Restructured by hand: 1 of 6 backgrounds: no more than these can be compared")
    expect(by_hand).not_to_be_checked()
    for name in ("α", "β", "γ", "Stephanie"):
        expect(page.get_by_label(f"{name} –")).to_be_checked()
    assert_usable(page)
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("24 calls")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_run_is_chosen_on_the_statistics_page_by_the_keyboard(page: Page) -> None:
    corpus = setting.corpus(4, ("alpha",))
    endpoint = endpoint_at(NOWHERE, name="Writer", model="writer")
    first = written_run(corpus, endpoint, name="First")
    written_run(corpus, endpoint, name="Second")
    sign_in(page, make_user(Role.RESEARCHER))
    page.goto(reverse("dialogues:statistics", args=[corpus.pk]))
    said = "Written more than once for the same background: β for 4 backgrounds"
    expect(page.get_by_text(said).first).to_be_visible()
    assert_usable(page)
    page.locator("summary", has_text="Choose versions").focus()
    page.keyboard.press("Enter")
    page.get_by_label(f"First (no. {first.pk})").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Count these").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text(f"Only dialogues of run First (no. {first.pk}), and the originals.").first).to_be_visible()
    expect(page.get_by_text(said)).to_have_count(0)
    assert_usable(page)


@pytest.mark.parametrize("width", [1280, 390])
def test_a_fresh_house_loads_its_examples_where_they_are_missed(page: Page) -> None:
    setting.corpus(2)
    endpoint_at(NOWHERE, name="Writer", model="writer")
    sign_in(page, make_user(Role.RESEARCHER))
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Next: load the examples")
    page.goto(reverse("generation:run_new"))
    assert_usable(page)
    page.get_by_role("button", name="Load the examples and prompts").click()
    expect(page.get_by_text("Loaded: Stephanie examples v1")).to_be_visible()
    expect(page.get_by_label("Step-by-step examples")).to_contain_text("comes with the project")
    assert ExampleSet.objects.count() == 3
