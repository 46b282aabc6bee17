"""Chats for whoever hears them, reads them above a phone's keyboard, or reads from the right."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Page, expect

from annotation.models import Chat
from annotation.roles import Role
from generation.models import Endpoint
from tests.annotation.chatting import chat_with
from tests.annotation.streaming_model import Gate, StreamingModel
from tests.browser.test_language import assert_usable_in_arabic, in_arabic
from tests.browser.watching import assert_usable, sign_in
from tests.people import make_user

WIDTHS = pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
PHONE = pytest.mark.parametrize(("width", "scheme"), [(390, "dark")])
# What is added to a live region is what a screen reader says.
LISTEN = """
window.said = [];
const log = document.querySelector("[role=log]");
new MutationObserver((changes) => changes.forEach((change) => {
  if (change.type === "characterData") window.said.push(change.target.data);
  change.addedNodes.forEach((node) => window.said.push(node.textContent));
})).observe(log, { childList: true, subtree: true, characterData: true });
"""
KEYBOARD = """
(height) => {
  Object.defineProperty(window.visualViewport, "height", { configurable: true, get: () => height });
  window.visualViewport.dispatchEvent(new Event("resize"));
}
"""


@pytest.fixture
def person(transactional_db: None) -> User:
    return make_user(Role.RESEARCHER)


@pytest.fixture
def endpoint(model: StreamingModel, person: User) -> Endpoint:
    return Endpoint.objects.create(name="Model", base_url=model.base_url, model="m")


def opened(page: Page, chat: Chat) -> None:
    sign_in(page, chat.person)
    page.goto(chat.get_absolute_url())


def write(page: Page, text: str) -> None:
    page.locator("[data-text]").fill(text)
    page.keyboard.press("Enter")


def bottom(page: Page, selector: str) -> float:
    found: float = page.locator(selector).last.evaluate("element => element.getBoundingClientRect().bottom")
    return found


def test_a_screen_reader_hears_each_bubble_once(
    model: StreamingModel, endpoint: Endpoint, person: User, page: Page
) -> None:
    gate = Gate()
    model.scenes = [["One.<|msg|>", gate, "Two.<|msg|>Three."], ["Four."]]
    opened(page, chat_with(endpoint, person, interruption="wait"))
    page.evaluate(LISTEN)
    write(page, "first")
    expect(page.get_by_text("One.")).to_be_visible()
    # It stands below what the model says until the reply is complete, and is not said again when that comes before it.
    write(page, "second")
    expect(page.locator(".turn--1.is-sent")).to_have_count(2)
    gate.open()
    expect(page.get_by_text("Four.")).to_be_visible()
    said = ["You: first", "The other side: One.", "You: second", "The other side: Two.", "The other side: Three."]
    assert page.evaluate("window.said") == [*said, "The other side: Four."]


@PHONE
def test_the_last_bubble_stays_above_a_phones_keyboard(
    model: StreamingModel, endpoint: Endpoint, person: User, page: Page
) -> None:
    model.scenes = [["<|msg|>".join(f"Line {number}." for number in range(30))], ["The news."]]
    opened(page, chat_with(endpoint, person))
    write(page, "tell me")
    expect(page.get_by_text("Line 29.")).to_be_in_viewport()
    page.evaluate(KEYBOARD, 400)
    assert bottom(page, ".chat-bubbles .bubble") <= bottom(page, "[data-scroll]") <= bottom(page, "[data-text]") <= 400
    write(page, "and now")
    expect(page.get_by_text("The news.")).to_be_in_viewport()
    assert bottom(page, ".chat-bubbles .bubble") <= bottom(page, "[data-scroll]") <= 400
    page.evaluate(KEYBOARD, page.viewport_size["height"])  # type: ignore[index]
    assert bottom(page, "[data-text]") > 400


@WIDTHS
def test_a_chat_in_arabic(model: StreamingModel, endpoint: Endpoint, person: User, page: Page) -> None:
    model.scenes = [["مرحبا<|msg|>", "كيف حالك؟"], [400]]
    in_arabic(page)
    opened(page, chat_with(endpoint, person, theme="الشاي", traits_of_model=["يحب الشاي."], traits_of_person=["خباز."]))
    expect(page.get_by_text("اكتب كما تكتب لصديق")).to_be_visible()
    page.get_by_text("موضوع هذه المحادثة، ومن أنت فيها").click()
    assert_usable_in_arabic(page)
    page.get_by_text("موضوع هذه المحادثة، ومن أنت فيها").click()
    write(page, "أهلا")
    expect(page.locator(".turn--2 .bubble")).to_have_text(["مرحبا", "كيف حالك؟"])
    expect(page.locator(".turn--1")).to_have_attribute("data-mark", "أُرسلت")
    assert page.locator(".turn").first.inner_text().startswith("أنت:")
    own, other = (page.locator(f".turn--{side} .bubble").last.bounding_box() for side in (1, 2))
    assert own is not None
    assert other is not None
    assert own["x"] < other["x"], "own messages are at the end of the line, which is on the left"
    write(page, "وبعد؟")
    expect(page.get_by_role("status").filter(has_text="لم يصل جواب.")).to_be_visible()
    expect(page.get_by_role("button", name="حاول مرة أخرى")).to_be_visible()
    page.get_by_role("button", name="المزيد").click()
    expect(page.get_by_role("button", name="إنهاء المحادثة")).to_be_visible()
    assert_usable_in_arabic(page)
    endpoint.block_until(timezone.now() + timedelta(hours=1))
    page.keyboard.press("Escape")
    write(page, "هل أنت هنا؟")
    expect(page.get_by_role("status").filter(has_text="الطرف الآخر مشغول الآن.")).to_be_visible()


def test_who_reloads_while_the_other_side_is_busy_is_told_so(
    model: StreamingModel, endpoint: Endpoint, person: User, page: Page
) -> None:
    endpoint.block_until(timezone.now() + timedelta(seconds=60))
    opened(page, chat_with(endpoint, person))
    write(page, "hi")
    busy = page.get_by_role("status").filter(has_text="The other side is busy just now. Trying again …")
    expect(busy).to_be_visible()
    page.reload()
    expect(busy).to_be_visible()
    expect(page.get_by_role("button", name="Try again")).to_be_hidden()
    assert_usable(page)
