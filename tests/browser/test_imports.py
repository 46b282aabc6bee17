"""Importing a file in a real browser: a refusal in words, columns by their names, a long dialogue shown in short."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from annotation.roles import Role
from tests.browser.watching import assert_usable, sign_in
from tests.dialogues.files import line, write
from tests.people import make_user

LONG_NAMES = ",".join(f"column_{number}_with_a_long_name" for number in range(20))


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_csv_with_other_columns_is_imported_from_the_keyboard(
    page: Page, width: int, scheme: str, tmp_path: Path
) -> None:
    sign_in(page, make_user(Role.RESEARCHER))
    file = write(tmp_path, f"conv,who,said,{LONG_NAMES}\nc1,Ann,Hi{',x' * 20}\nc1,Bob,Hello{',x' * 20}\n", "log.csv")
    page.goto("/corpora/import/")
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_role("button", name="Read the file").press("Enter")
    expect(page.get_by_text("it names conv, who, said")).to_be_visible()
    assert_usable(page)
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_label("Columns").press_sequentially("dialogue_id=conv, speaker=who, text=said")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("1 dialogue to import")
    expect(page.get_by_text("Hello", exact=True)).to_be_visible()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_largest_dialogue_is_shown_in_short(page: Page, width: int, scheme: str, tmp_path: Path) -> None:
    messages = [[1, "w" * 90_000], *([1 + number % 2, f"message {number}"] for number in range(4_999))]
    sign_in(page, make_user(Role.RESEARCHER))
    page.goto("/corpora/import/")
    file = write(tmp_path, line("long", messages=messages, traits_1=["I bake."] * 30) + "{\n", "long.jsonl")
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_role("button", name="Read the file").click()
    expect(page.get_by_text("And 4,960 more messages.")).to_be_visible()
    expect(page.get_by_text("and 20 more")).to_be_visible()
    assert_usable(page)
