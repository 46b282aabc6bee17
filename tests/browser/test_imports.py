"""Importing a file in a real browser: columns chosen, private chats up to their statistics, long dialogues in short."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from annotation.roles import Role
from tests.browser.watching import assert_usable, sign_in
from tests.dialogues.files import line, write
from tests.dialogues.import_pages import WHATSAPP
from tests.people import make_user

LONG_NAMES = ",".join(f"column_{number}_with_a_long_name" for number in range(20))


def read_file(page: Page, file: Path) -> None:
    page.goto("/corpora/import/")
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_role("button", name="Read the file").press("Enter")


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_unknown_csv_is_mapped_from_the_keyboard(page: Page, width: int, scheme: str, tmp_path: Path) -> None:
    sign_in(page, make_user(Role.RESEARCHER))
    names = f'ref,<b>&"🎉,said,{LONG_NAMES}'.replace('<b>&"🎉', '"<b>&""🎉"')
    cells = ",x" * 20
    read_file(page, write(tmp_path, f"{names}\nc1,Ann,Hi{cells}\nc1,Bob,Hello{cells}\nc1,Bob,You?{cells}\n", "log.csv"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Which column is which?")
    expect(page.get_by_text("Ann · Bob")).to_be_visible()
    assert_usable(page)
    for label, chosen in {"Dialogue": "ref", "Speaker": '<b>&"🎉', "Text": "said"}.items():
        page.locator("select").and_(page.get_by_label(label)).select_option(chosen)
    page.get_by_label("Save this choice as").press_sequentially("Lab log")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("1 dialogue to import")
    expect(page.locator(".bubble", has_text="Hello")).to_be_visible()
    assert_usable(page)
    page.get_by_text("Choose which column is which").press("Enter")
    expect(page.get_by_label("Speaker")).to_have_value('<b>&"🎉')
    assert_usable(page)
    page.get_by_text("Saved choices").press("Enter")
    page.get_by_role("link", name="Delete Lab log").press("Enter")
    assert_usable(page)
    page.get_by_role("link", name="Keep it").press("Enter")
    page.get_by_role("button", name="Import 1 dialogue").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("log")


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_private_chats_go_from_the_upload_to_the_statistics(
    page: Page, width: int, scheme: str, tmp_path: Path
) -> None:
    sign_in(page, make_user(Role.RESEARCHER))
    read_file(page, write(tmp_path, WHATSAPP, "WhatsApp Chat with Mary.txt"))
    expect(page.get_by_text("These are private chats.")).to_be_visible()
    expect(page.get_by_text("hi [B]")).to_be_visible()
    expect(page.get_by_text("31 December 2024")).to_be_visible()
    assert_usable(page)
    page.get_by_label("Names of the two people").uncheck()
    page.get_by_role("button", name="Show what would be stored").press("Enter")
    expect(page.get_by_text("hi Tom")).to_be_visible()
    expect(page.get_by_text("write to [e-mail]")).to_be_visible()
    page.get_by_label("Names of the two people").check()
    page.get_by_label("Did everybody who speaks here agree?").fill("Both, in writing, on 3 May 2025")
    page.get_by_role("button", name="Import 1 dialogue").press("Enter")
    expect(page.get_by_text("holds personal data")).to_be_visible()
    page.get_by_text("Where it came from").press("Enter")
    assert_usable(page)
    page.get_by_role("link", name="chat", exact=True).press("Enter")
    expect(page.get_by_text("14:11")).to_be_visible()
    assert_usable(page)
    page.go_back()
    page.get_by_role("link", name="Statistics").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Statistics")


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_guess_of_columns_is_shown_with_what_it_makes_of_the_file(
    page: Page, width: int, scheme: str, tmp_path: Path
) -> None:
    sign_in(page, make_user(Role.RESEARCHER))
    read_file(page, write(tmp_path, "conv_id,sender,utterance\nc1,Ann,Hi\nc1,Bob,Hello\n", "log.csv"))
    expect(page.get_by_text("is a guess.")).to_be_visible()
    expect(page.get_by_label("Speaker")).to_have_value("sender")
    expect(page.locator(".bubble", has_text="Hello")).to_be_visible()
    assert_usable(page)
    page.get_by_role("button", name="Show", exact=True).press("Enter")
    expect(page.get_by_text("is a guess.")).to_have_count(0)
    expect(page.locator(".bubble", has_text="Hello")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_of_uploads_says_what_is_read(page: Page, width: int, scheme: str) -> None:
    sign_in(page, make_user(Role.RESEARCHER))
    page.goto("/corpora/import/")
    page.get_by_text("More: format, columns, repeated dialogues").press("Enter")
    page.get_by_text("Forms that are recognised").press("Enter")
    expect(page.get_by_role("rowheader", name="WhatsApp export")).to_be_visible()
    assert_usable(page)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_largest_dialogue_is_shown_in_short(page: Page, width: int, scheme: str, tmp_path: Path) -> None:
    messages = [[1, "w" * 90_000], *([1 + number % 2, f"message {number}"] for number in range(4_999))]
    sign_in(page, make_user(Role.RESEARCHER))
    read_file(page, write(tmp_path, line("long", messages=messages, traits_1=["I bake."] * 30) + "{\n", "long.jsonl"))
    expect(page.get_by_text("And 4,960 more messages.")).to_be_visible()
    expect(page.get_by_text("and 20 more")).to_be_visible()
    assert_usable(page)


GROUP = "".join(
    f"31/12/2024, 14:{number:02} - {name}: hello\n"
    for number, name in enumerate(['<b>&"Tom', "مريم الخطيب", "👩‍👩‍👧 Family", "مريم الخطيب"])
)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_two_people_of_a_group_are_chosen_from_the_keyboard(
    page: Page, width: int, scheme: str, tmp_path: Path
) -> None:
    sign_in(page, make_user(Role.RESEARCHER))
    read_file(page, write(tmp_path, GROUP, "group.txt"))
    expect(page.get_by_text("This chat has 3 people")).to_be_visible()
    assert_usable(page)
    first, second = page.get_by_label("First person to keep"), page.get_by_label("Second person to keep")
    first.press("ArrowDown")
    page.get_by_role("button", name="Read again").press("Enter")
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_text("Choose two different people, or leave both empty.")).to_be_visible()
    assert_usable(page)
    expect(first).to_have_value("مريم الخطيب")
    second.select_option('<b>&"Tom')
    page.get_by_role("button", name="Read again").press("Enter")
    expect(page.get_by_text('In the whole file, A is <b>&"Tom and B is مريم الخطيب.')).to_be_visible()
    assert_usable(page)


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until it has the focus, as somebody without a mouse does."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if wanted.evaluate("one => one === document.activeElement"):
            return
    raise AssertionError(f"{wanted} is not reached by Tab")


@pytest.mark.parametrize("width", [390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_file_is_uploaded_mapped_and_imported_by_keys_alone(
    page: Page, width: int, scheme: str, tmp_path: Path
) -> None:
    sign_in(page, make_user(Role.RESEARCHER))
    log = write(tmp_path, "ref,nick,said\nc1,Ann,Hi\nc1,Bob,Hello\nc1,Bob,You?\n", "log.csv")
    # Before the page is there: the browser is told of a listener without waiting, and a key may come first.
    page.on("filechooser", lambda chooser: chooser.set_files(log))
    page.goto("/corpora/import/")
    file = page.get_by_label("File", exact=True)
    tab_to(page, file)
    page.keyboard.press("Enter")
    expect(file).to_have_value(re.compile("log.csv"))
    tab_to(page, page.get_by_role("button", name="Read the file"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Which column is which?")
    for label, typed in {"Dialogue": "ref", "Speaker": "nick", "Text": "said"}.items():
        field = page.locator("select").and_(page.get_by_label(label))
        tab_to(page, field)
        page.keyboard.type(typed)
        expect(field).to_have_value(typed)
    tab_to(page, page.get_by_role("button", name="Show", exact=True))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("1 dialogue to import")
    assert_usable(page)
    tab_to(page, page.get_by_role("button", name="Import 1 dialogue"))
    page.keyboard.press("Space")
    expect(page.get_by_role("heading", level=1)).to_have_text("log")
