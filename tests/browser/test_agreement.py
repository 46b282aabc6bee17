"""A student without a study measures agreement in a file of their own."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.annotation.setting import user
from tests.annotation.test_agreement_files import rows, text_of
from tests.browser.watching import Watch, assert_usable, sign_in


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark"), (1280, "dark"), (390, "light")])
def test_a_file_becomes_tables_to_read_and_to_save(page: Page, watch: Watch, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(text_of(rows(metrics=("Natural", "Specific"))) + "r0,i0,x,Natural,five\n")
    sign_in(page, user("rey", "researcher"))
    page.goto("/studies/")
    page.get_by_role("link", name="Agreement in a file").click()
    assert_usable(page)
    watch.expect("status of 422")
    page.get_by_label("File", exact=True).set_input_files(path)
    page.get_by_role("button", name="Measure agreement").click()
    expect(page.get_by_text("One row is bad, so nothing was computed.")).to_be_visible()
    expect(page.get_by_role("row", name="242 the score")).to_be_visible()
    assert_usable(page)
    page.get_by_label("File", exact=True).set_input_files(path)
    page.get_by_label("Skip bad rows").check()
    page.get_by_role("button", name="Measure agreement").click()
    expect(page.get_by_role("heading", name="Agreement in mine.csv")).to_be_visible()
    expect(page.get_by_role("row", name="Natural r0 and r1")).to_be_visible()
    assert_usable(page)
    table = page.locator("#table-by-version")
    for label, ending in (("CSV", ".csv"), ("LaTeX, one column", ".tex")):
        if ending == ".tex":
            table.get_by_text("LaTeX", exact=True).click()
        with page.expect_download() as download:
            table.get_by_role("link", name=label, exact=True).click()
        assert download.value.suggested_filename == f"mine-by-version{ending}"
        assert "Specific" in download.value.path().read_text()
