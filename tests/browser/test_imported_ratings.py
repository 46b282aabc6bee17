"""A researcher brings ratings of a published data set and reads their agreement."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.annotation.setting import user
from tests.browser.watching import assert_usable, sign_in

RESPONSES = [
    {
        "context": "Did you see the lighthouse?\nYes, at night.",
        "responses": [
            {
                "response": f"{model} says: and the sea was loud.",
                "model": model,
                "Natural": scores,
                "Overall": [5, 4, 4],
            }
            for model, scores in (("Retrieval model with a long name", [3, 2, 3]), ("Human", [3, 3, None]))
        ],
    }
] * 3


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_ratings_from_elsewhere_become_a_report(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "published.json"
    path.write_text(json.dumps(RESPONSES))
    sign_in(page, user("rey", "researcher"))
    page.goto("/studies/")
    page.get_by_role("link", name="Import ratings").click()
    assert_usable(page)
    page.get_by_label("File", exact=True).set_input_files(path)
    page.get_by_role("button", name="Read the file").click()
    expect(page.get_by_role("heading", name="33 scores to import")).to_be_visible()
    expect(page.get_by_role("row", name="Natural 2 to 3 15 6 6 3")).to_be_visible()
    assert_usable(page)
    page.get_by_role("button", name="Import 33 scores").click()
    expect(page.get_by_text("Imported 33 scores by 3 raters.")).to_be_visible()
    expect(page.get_by_text("collected elsewhere, not on this platform").first).to_be_visible()
    assert_usable(page)
    page.get_by_role("link", name="Read the report").click()
    expect(page.get_by_text("imported ratings").first).to_be_visible()
    assert_usable(page)
