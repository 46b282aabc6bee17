"""The statistics page in Chromium: charts that answer under the security policy, pictures without script."""

import pytest
from django.core.cache import caches
from playwright.sync_api import Page, expect

from annotation.roles import Role
from dialogues.models import Corpus
from tests.browser.watching import PageMaker, assert_usable, sign_in
from tests.dialogues.rows import ALPHA, GAMMA, add_dialogue
from tests.people import make_user


def make_corpus() -> Corpus:
    caches["results"].clear()
    corpus = Corpus.objects.create(name="Small talk")
    for number in range(2):
        origin = add_dialogue(corpus, f"a{number}", ALPHA, "alpha")
        add_dialogue(corpus, f"g{number}", GAMMA, "gamma", origin=origin, is_demo=True)
    return corpus


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_charts_answer_to_the_pointer_with_nothing_refused_by_the_policy(page: Page, width: int, scheme: str) -> None:
    sign_in(page, make_user(Role.RESEARCHER))
    page.goto(f"/corpora/{make_corpus().pk}/statistics/")
    figure = page.locator("#figure-consecutive")
    figure.scroll_into_view_if_needed()
    expect(figure.locator("canvas")).to_be_visible()
    expect(figure.locator("img").first).to_be_hidden()
    assert_usable(page)
    box = figure.locator("canvas").bounding_box()
    assert box is not None
    tip = page.locator(".chart-tip")
    # Somewhere over the bars there is an answer; where exactly depends on the fonts.
    for step in range(30):
        page.mouse.move(box["x"] + box["width"] * (0.1 + 0.02 * step), box["y"] + box["height"] * 0.8)
        if tip.is_visible():
            break
    expect(tip).to_contain_text("% of turns")


def test_a_live_chart_follows_the_theme_switch(page: Page) -> None:
    sign_in(page, make_user(Role.RESEARCHER, "keeper"))
    page.goto(f"/corpora/{make_corpus().pk}/statistics/")
    figure = page.locator("#figure-consecutive")
    figure.scroll_into_view_if_needed()
    expect(figure.locator("canvas")).to_be_visible()
    with page.expect_response(lambda answer: "consecutive.json" in answer.url and "theme=dark" in answer.url):
        page.evaluate("document.documentElement.dataset.theme = 'dark'")
    expect(figure.locator("canvas")).to_have_count(1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_without_script_the_theme_has_its_own_pictures(new_page: PageMaker, scheme: str) -> None:
    page = new_page(java_script_enabled=False)
    sign_in(page, make_user(Role.RESEARCHER))
    page.goto(f"/corpora/{make_corpus().pk}/statistics/")
    expect(page.locator("#figure-consecutive .chart-light")).to_be_visible(visible=scheme == "light")
    expect(page.locator("#figure-consecutive .chart-dark")).to_be_visible(visible=scheme == "dark")


def test_a_table_is_copied_as_tab_separated_text(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    sign_in(page, make_user(Role.RESEARCHER))
    page.goto(f"/corpora/{make_corpus().pk}/statistics/")
    button = page.locator("#table-consecutive").get_by_role("button", name="Copy")
    button.click()
    expect(page.locator("#table-consecutive").get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "α\tpaper\t92.65\t7.35\t0\t0\t0\t—\t—" in copied
