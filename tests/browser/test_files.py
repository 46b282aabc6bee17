"""What leaves a page: on paper without scrolling, and as a file for Excel by keyboard alone."""

import csv
from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from tests.annotation.rated_study import rated_study
from tests.annotation.setting import user
from tests.browser.watching import PageMaker, assert_usable, sign_in


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["study_report", "dialogues:statistics"])
def test_a_page_that_nobody_scrolled_prints_all_its_figures(new_page: PageMaker, name: str) -> None:
    study, page = rated_study(backgrounds=8), new_page()
    sign_in(page, user("rey", "researcher"))
    page.goto(reverse(name, args=[study.pk if name == "study_report" else study.corpus_id]), wait_until="load")
    page.emulate_media(media="print")
    shown = page.locator("figure img").evaluate_all(
        "all => all.filter(one => one.getClientRects().length).map(one => one.complete && one.naturalWidth > 0)"
    )
    assert len(shown) >= 2
    assert all(shown)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.usefixtures("width")
def test_a_table_is_taken_for_excel_by_keyboard(new_page: PageMaker) -> None:
    study = rated_study(backgrounds=8)
    page = new_page()
    sign_in(page, user("rey", "researcher"))
    page.goto(reverse("study_report", args=[study.pk]))
    table = page.locator("#table-table-3")
    choice = table.locator("summary", has_text="for Excel")
    choice.focus()
    page.keyboard.press("Enter")
    link = table.get_by_role("link", name="Excel, list separator semicolon")
    expect(link).to_be_visible()
    assert_usable(page)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    path = Path(download.value.path())
    with path.open(encoding="utf-8-sig", newline="") as file:
        head, *rows = csv.reader(file, delimiter=";")
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    assert head[0] == "Metric"
    assert "," in rows[0][1]
