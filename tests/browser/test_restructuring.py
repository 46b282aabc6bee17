"""Restructuring in a real browser: by keyboard alone, by mouse alone, by touch, across reloads, tabs and outages."""

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from annotation.models import Operation, Restructuring
from annotation.restructuring.drafts import history_of
from dialogues.editing import transcript_of
from tests.annotation.restructured import CHAT, asked, gamma
from tests.annotation.setting import dialogue
from tests.browser.server import running_server
from tests.browser.watching import PageMaker, Watch, assert_accessible, assert_fits, assert_usable, sign_in


@pytest.fixture
def work(page: Page) -> Restructuring:
    """A dialogue of 16 messages for a logged-in annotator."""
    row = asked("ann")
    sign_in(page, row.annotator)
    return row


def begin(page: Page, work: Restructuring) -> None:
    page.goto(work.get_absolute_url())
    page.locator("[data-restructuring][data-ready]").wait_for()


def boxes(page: Page) -> Locator:
    return page.locator("[data-pieces] textarea")


def texts(page: Page) -> list[str]:
    return [str(box.input_value()) for box in boxes(page).all()]


def is_saved(page: Page) -> None:
    expect(page.locator("[data-saved]")).to_have_text("Saved")


def caret(box: Locator, before: str) -> None:
    """Put the caret before these words, as a click would."""
    box.evaluate("(box, at) => { box.focus(); box.setSelectionRange(at, at); }", box.input_value().index(before))


def spoken(page: Page) -> Locator:
    return page.locator("[data-spoken]")


def stored(work: Restructuring) -> list[list[object]]:
    """The text that the server has, which its log must tell again."""
    work.refresh_from_db()
    assert transcript_of(history_of(work).draft).to_json() == work.messages
    return work.messages


def keys(page: Page, *names: str) -> None:
    for name in names:
        page.keyboard.press(name)


def test_sixteen_messages_are_restructured_by_keyboard_alone(page: Page, work: Restructuring) -> None:
    begin(page, work)
    while page.evaluate("document.activeElement.getAttribute('aria-label')") is None or not page.evaluate(
        "document.activeElement.matches('[data-pieces] textarea')"
    ):
        page.keyboard.press("Tab")
    # "hi there," | "how are you today?"
    keys(page, "Home", *["ArrowRight"] * 9, "Enter")
    expect(boxes(page)).to_have_count(17)
    expect(spoken(page)).to_have_text("Split into messages 1 and 2.")
    # Backspace at the start of it is the way back, and undo the way forward again.
    keys(page, "Backspace")
    expect(spoken(page)).to_have_text("Merged into message 1.")
    keys(page, "Control+z")
    expect(spoken(page)).to_have_text("Undone.")
    assert texts(page)[:2] == ["hi there,", "how are you today?"]
    # On to the other's message, whose text cannot be merged with this one.
    keys(page, "End", "ArrowDown", "End", "ArrowDown", "Home", "Backspace")
    expect(spoken(page)).to_contain_text("other speaker")
    page.keyboard.type("yeah ")
    keys(page, "End", "ArrowDown")
    assert texts(page)[2] == "yeah pretty good, thanks. just got back from a run!"
    keys(page, "Alt+ArrowUp")
    expect(spoken(page)).to_have_text("Moved to place 3.")
    keys(page, "Control+Enter")
    page.keyboard.type("tell me")
    keys(page, "Alt+ArrowDown")
    expect(spoken(page)).to_have_text("Moved to place 5.")
    keys(page, "Alt+Delete")
    expect(spoken(page)).to_contain_text("Message deleted")
    keys(page, "Control+Alt+Enter")
    page.keyboard.type("cool!")
    keys(page, "Control+/")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    keys(page, "Escape")
    is_saved(page)
    assert stored(work)[:6] == [
        [1, "hi there,"], [1, "how are you today?"], [2, "and you?"],
        [2, "yeah pretty good, thanks. just got back from a run!"], [1, "cool!"], CHAT[3],
    ]  # fmt: skip
    page.get_by_role("button", name="Hand in").focus()
    keys(page, "Enter")
    expect(page.get_by_text("Handed in. A second person reads it now")).to_be_visible()
    assert stored(work)
    assert work.state == Restructuring.State.SUBMITTED


def test_the_same_by_mouse_alone(page: Page, work: Restructuring) -> None:
    begin(page, work)
    tools = page.get_by_role("toolbar")
    caret(boxes(page).nth(3), "and it came")
    tools.get_by_role("button", name="Split", exact=True).click()
    assert texts(page)[3:5] == ["i was baking bread 🍞", "and it came out great."] or texts(page)[3:5] == [
        "not bad at all. i was baking bread 🍞", "and it came out great.",
    ]  # fmt: skip
    tools.get_by_role("button", name="Up", exact=True).click()
    assert texts(page)[3] == "and it came out great."
    tools.get_by_role("button", name="Down", exact=True).click()
    boxes(page).nth(4).click()
    tools.get_by_role("button", name="Merge up", exact=True).click()
    assert texts(page)[3] == CHAT[3][1]
    boxes(page).nth(15).click()
    tools.get_by_role("button", name="Delete", exact=True).click()
    expect(boxes(page)).to_have_count(15)
    tools.get_by_role("button", name="Undo", exact=True).click()
    expect(boxes(page)).to_have_count(16)
    tools.get_by_role("button", name="Redo", exact=True).click()
    expect(boxes(page)).to_have_count(15)
    is_saved(page)
    assert stored(work) == CHAT[:15]
    page.get_by_role("button", name="Hand in").click()
    expect(page.get_by_text("Handed in.")).to_be_visible()


@pytest.mark.parametrize("width", [390])
def test_a_phone_restructures_by_touch(new_page: PageMaker, width: int) -> None:
    page = new_page(has_touch=True, is_mobile=True)
    work = asked("ann")
    sign_in(page, work.annotator)
    begin(page, work)
    boxes(page).nth(5).tap()
    caret(boxes(page).nth(5), "my grand")
    page.get_by_role("toolbar").get_by_role("button", name="Split").tap()
    assert texts(page)[5:7] == ["rye.", "my grandmother's recipe."]
    page.get_by_role("toolbar").get_by_role("button", name="Delete").tap()
    expect(boxes(page)).to_have_count(16)
    is_saved(page)
    assert stored(work)[5] == [1, "rye."]
    assert_fits(page)


def test_a_reload_goes_on_where_it_stopped_and_can_still_undo_it_all(page: Page, work: Restructuring) -> None:
    begin(page, work)
    caret(boxes(page).nth(0), "how are")
    keys(page, "Enter", "End")
    page.keyboard.type(" really")
    is_saved(page)
    begin(page, work)
    assert texts(page)[:2] == ["hi there,", "how are you today? really"]
    undo = page.get_by_role("button", name="Undo")
    while undo.is_enabled():
        undo.click()
    is_saved(page)
    assert stored(work) == CHAT
    assert texts(page) == [text for _, text in CHAT]


@pytest.mark.parametrize(("button", "kept"), [("Keep what is here", "here"), ("Take what is there", "there")])
def test_two_tabs_that_disagree_show_both_texts(
    page: Page, work: Restructuring, watch: Watch, button: str, kept: str
) -> None:
    watch.expect("status of 409")
    begin(page, work)
    other = page.context.new_page()
    begin(other, work)
    boxes(other).nth(0).fill("there")
    is_saved(other)
    boxes(page).nth(0).fill("here")
    dialog = page.get_by_role("dialog", name="Two texts of this dialogue")
    expect(dialog.locator("[data-mine] .bubble").first).to_have_text("here")
    expect(dialog.locator("[data-theirs] .bubble").first).to_have_text("there")
    assert_accessible(page)
    dialog.get_by_role("button", name=button).click()
    is_saved(page)
    assert texts(page)[0] == kept
    assert stored(work)[0] == [1, kept]
    # Whatever was not chosen is one undo away, or in the log.
    bodies = [body for body in Operation.objects.values_list("body", flat=True) if body["op"] == "reword"]
    assert {"op": "reword", "at": 0, "text": "there"} in bodies


def test_two_tabs_that_agree_are_no_conflict(page: Page, work: Restructuring, watch: Watch) -> None:
    watch.expect("status of 409")
    begin(page, work)
    other = page.context.new_page()
    begin(other, work)
    for tab in (other, page):
        boxes(tab).nth(0).fill("the same")
        is_saved(tab)
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert stored(work)[0] == [1, "the same"]


def test_nothing_is_lost_while_the_server_is_away(page: Page, work: Restructuring, watch: Watch) -> None:
    watch.expect("ERR_|failed request")
    begin(page, work)
    away = True

    def maybe(route: Route) -> None:
        if away:
            route.abort("connectionrefused")
        else:
            route.continue_()

    page.route("**/operations/", maybe)
    caret(boxes(page).nth(0), "how are")
    keys(page, "Enter")
    expect(page.locator("[data-saved]")).to_contain_text("Not saved yet, retrying")
    keys(page, "End")
    page.keyboard.type(" my friend")
    caret(boxes(page).nth(2), "just got")
    keys(page, "Enter")
    assert stored(work) == CHAT
    away = False
    is_saved(page)
    assert stored(work)[:4] == [
        [1, "hi there,"], [1, "how are you today? my friend"], [2, "pretty good, thanks."],
        [2, "just got back from a run!"],
    ]  # fmt: skip


def test_a_restart_of_the_server_while_typing_loses_nothing(
    chromium: Browser, transactional_db: None, watch: Watch
) -> None:
    work = asked("ann")
    with running_server() as first:
        context = chromium.new_context(base_url=first.url)
        page = context.new_page()
        sign_in(page, work.annotator)
        begin(page, work)
        caret(boxes(page).nth(0), "how are")
        keys(page, "Enter", "End")
        page.keyboard.type(" Before,")
        is_saved(page)
    page.keyboard.type(" while it was away")
    expect(page.locator("[data-saved]")).to_contain_text("Not saved yet, retrying")
    keys(page, "ArrowDown", "Alt+Delete")
    with running_server(int(first.url.rpartition(":")[2])):
        page.keyboard.type("!")
        is_saved(page)
        context.close()
    assert stored(work)[:3] == [
        [1, "hi there,"], [1, "how are you today? Before, while it was away!"], CHAT[2],
    ]  # fmt: skip


# What is done, and what a screen reader is told of it.
SPOKEN = [
    ("split", ["Enter"], "Split into messages 2 and 3."),
    ("split that cannot be", ["Home", "Enter"], "There is nothing to split off here"),
    ("merge", ["End", "ArrowDown", "Home", "Backspace"], "Merged into message 2."),
    ("merge that cannot be", ["Home", "Backspace"], "The message above is the other speaker’s"),
    ("merge with the next", ["End", "Delete"], "Merged into message 2."),
    ("move up", ["Alt+ArrowUp"], "Moved to place 1."),
    ("move down", ["Alt+ArrowDown"], "Moved to place 3."),
    ("add", ["Control+Enter"], "New message below message 2."),
    ("add and write", ["Control+Enter", "o", "k", "Tab"], "Message added."),
    ("delete", ["Alt+Delete"], "Message deleted"),
    ("empty", ["Control+a", "Delete", "ArrowUp"], "Empty message deleted."),
    ("undo", ["Alt+ArrowUp", "Control+z"], "Undone."),
    ("redo", ["Alt+ArrowUp", "Control+z", "Control+Shift+z"], "Done again."),
    ("nothing to undo", ["Control+z"], "There is nothing to undo."),
]


@pytest.mark.parametrize(("what", "pressed", "told"), SPOKEN, ids=[what for what, _, _ in SPOKEN])
def test_every_operation_is_announced(
    page: Page, work: Restructuring, what: str, pressed: list[str], told: str
) -> None:
    begin(page, work)
    assert spoken(page).get_attribute("aria-live") == "polite"
    caret(boxes(page).nth(1), "just got")
    keys(page, *pressed)
    expect(spoken(page)).to_contain_text(told)


def test_a_lost_answer_keeps_an_operation_once(page: Page, work: Restructuring, watch: Watch) -> None:
    watch.expect("ERR_|failed request")
    begin(page, work)
    lost: list[str] = []

    def lose_first(route: Route) -> None:
        if lost:
            route.continue_()
        else:
            lost.append(route.fetch().text())
            route.abort("connectionreset")

    page.route("**/operations/", lose_first)
    caret(boxes(page).nth(0), "how are")
    keys(page, "Enter")
    is_saved(page)
    assert '"version":1' in lost[0].replace(" ", "")
    assert Operation.objects.count() == 1
    assert stored(work)[:2] == [[1, "hi there,"], [1, "how are you today?"]]


def test_a_proposal_is_taken_message_by_message_and_the_log_says_whose_it_was(page: Page, work: Restructuring) -> None:
    dialogue(
        work.original.corpus, "d0.stephanie", "stephanie", "x", origin=work.original.origin, parent=work.original,
        written_by="some-model",
    )  # fmt: skip
    begin(page, work)
    page.get_by_role("button", name="Propose").click()
    expect(spoken(page)).to_contain_text("messages have a proposal")
    first = page.locator("[data-proposal]").first
    expect(first.locator(".bubble")).to_have_text(["pretty good, thanks.", "just got back from a run!"])
    first.get_by_role("button", name="Accept").click()
    keys(page, "Enter")
    expect(boxes(page)).to_have_count(18)
    page.locator("[data-proposal]").first.get_by_role("button", name="Dismiss").click()
    # Another version of the dialogue is not among them.
    expect(page.get_by_label("Split for me").locator("option")).to_have_text(["Rules: after every sentence"])
    is_saved(page)
    assert [body["by"] for body in Operation.objects.values_list("body", flat=True)] == ["rules", "rules"]
    assert stored(work)[1:3] == [[2, "pretty good, thanks."], [2, "just got back from a run!"]]
    assert_accessible(page)


def test_the_original_shows_what_became_of_it(page: Page, work: Restructuring) -> None:
    begin(page, work)
    boxes(page).nth(3).click()
    expect(page.locator("[data-original][data-linked]")).to_have_text([CHAT[3][1]])
    page.get_by_role("button", name="Delete", exact=False).click()
    expect(page.get_by_text("message 4: lost")).to_be_visible()
    boxes(page).nth(0).fill("hi there, how are you?")
    page.get_by_role("button", name="Mark changed words").click()
    expect(page.locator("[data-original='0'] del")).to_have_text(["you today?"])
    expect(page.locator("[data-original='0'] ins")).to_have_text(["you?"])
    page.locator("[data-original='7']").click()
    expect(boxes(page).nth(6)).to_be_focused()
    expect(page.get_by_role("cell").and_(page.locator("[data-figure=messages]"))).to_have_text("15")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")])
def test_everyone_can_read_the_pages(page: Page, width: int, scheme: str) -> None:
    awkward = [[1, '<b>&"</b> 😀 ' + "long" * 60], [2, "مرحبا كيف حالك"], [2, "x"]]
    work = asked("ann", gamma(awkward), instructions="Be kind.\n\n<script>alert(1)</script>", review="Again, please.")
    sign_in(page, work.annotator)
    begin(page, work)
    page.get_by_role("button", name="Propose").click()
    assert_usable(page)
    page.goto("/restructure/")
    expect(page.get_by_role("link", name="Dialogue 1")).to_be_visible()
    expect(page.get_by_text(work.original.key)).to_have_count(0)
    assert_usable(page)


def test_without_a_script_every_operation_is_a_button(new_page: PageMaker, watch: Watch) -> None:
    page = new_page(java_script_enabled=False)
    work = asked("ann")
    sign_in(page, work.annotator)
    page.goto(work.get_absolute_url())
    boxes(page).nth(0).fill("hi there,\n\nhow are you today?")
    page.locator("button[value='delete:2']").click()
    assert stored(work)[:3] == [[1, "hi there,"], [1, "how are you today?"], CHAT[1]]
    assert len(work.messages) == 16
    page.locator("button[value='merge:1']").click()
    page.locator("button[value='down:0']").click()
    page.get_by_label("Text for “Add below”").fill("well")
    page.locator("button[value='add:0']").click()
    assert stored(work)[:3] == [CHAT[1], [2, "well"], CHAT[0]]
    page.get_by_role("button", name="Undo").click()
    assert stored(work)[:2] == [CHAT[1], CHAT[0]]
    page.get_by_role("button", name="Hand in").click()
    expect(page.get_by_text("Handed in.")).to_be_visible()
