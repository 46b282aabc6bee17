"""Chats in a browser: bursts from both sides, interruptions, a reload, two tabs, and a cut line."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from annotation.chats import recording
from annotation.models import Chat
from annotation.roles import Role
from generation.models import Endpoint
from tests.annotation.chatting import chat_with, kinds
from tests.annotation.streaming_model import Gate, StreamingModel
from tests.browser.watching import Watch, assert_usable, sign_in
from tests.people import make_user
from tests.waiting import until

WIDTHS = pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])


@pytest.fixture
def person(transactional_db: None) -> User:
    return make_user(Role.RESEARCHER)


@pytest.fixture
def endpoint(model: StreamingModel, person: User) -> Endpoint:
    return Endpoint.objects.create(name='A <b>&"model 👋', base_url=model.base_url, model="m")


def opened(page: Page, chat: Chat) -> Page:
    sign_in(page, chat.person)
    page.goto(chat.get_absolute_url())
    return page


def write(page: Page, *texts: str) -> None:
    # Before the page's scripts are there, Enter only begins a new line.
    page.wait_for_load_state()
    for text in texts:
        page.get_by_label("Your message").fill(text)
        page.keyboard.press("Enter")


def shown(page: Page) -> list[str]:
    return page.locator(".chat-bubbles .bubble").all_inner_texts()


@WIDTHS
def test_bursts_of_both_sides_by_keyboard_alone(
    model: StreamingModel, endpoint: Endpoint, person: User, page: Page
) -> None:
    model.scenes = [["Hi <b>", "&<|msg|>", "👋 how are you?"]]
    opened(page, chat_with(endpoint, person, silence=0.4, traits_of_person=["I bake."] * 30, theme="Bread."))
    page.get_by_text("What this chat is about").click()
    assert_usable(page)
    page.get_by_text("What this chat is about").click()
    write(page, "hey", "you there?")
    expect(page.locator(".turn--2 .bubble")).to_have_count(2)
    assert shown(page) == ["hey", "you there?", "Hi <b>&", "👋 how are you?"]
    expect(page.locator(".turn--1.is-sent")).to_have_count(2)
    expect(page.get_by_label("Your message")).to_be_focused()
    assert_usable(page)


def test_a_message_interrupts_the_reply_and_the_page_shows_what_the_model_is_told(
    model: StreamingModel, endpoint: Endpoint, person: User, page: Page
) -> None:
    gate = Gate()
    model.scenes = [["One.<|msg|>", gate, "Two."], ["Three."]]
    opened(page, chat_with(endpoint, person))
    write(page, "first")
    expect(page.get_by_text("One.")).to_be_visible()
    expect(page.locator("[data-typing]")).to_be_visible()
    write(page, "wait")
    expect(page.get_by_text("Three.")).to_be_visible()
    gate.open()
    assert shown(page) == ["first", "One.", "wait", "Three."]
    expect(page.locator("[data-typing]")).to_be_hidden()


def test_a_reload_in_mid_stream_and_a_second_tab_show_everything_once(
    model: StreamingModel, endpoint: Endpoint, person: User, page: Page
) -> None:
    gate = Gate()
    model.scenes = [["One.<|msg|>", gate, "Two."]]
    chat = chat_with(endpoint, person)
    opened(page, chat)
    other = page.context.new_page()
    other.goto(chat.get_absolute_url())
    write(page, "first")
    expect(page.get_by_text("One.")).to_be_visible()
    page.reload()
    gate.open()
    for tab in (page, other):
        expect(tab.get_by_text("Two.")).to_be_visible()
        assert shown(tab) == ["first", "One.", "Two."]


def test_what_is_typed_survives_a_cut_line_and_a_reload(
    model: StreamingModel, endpoint: Endpoint, person: User, page: Page, watch: Watch
) -> None:
    watch.expect("ERR_INTERNET_DISCONNECTED|failed request")
    chat = chat_with(endpoint, person)
    opened(page, chat)
    page.context.set_offline(True)
    write(page, "kept")
    expect(page.get_by_role("status").filter(has_text="No connection")).to_be_visible()
    expect(page.locator(".is-waiting")).to_have_count(1)
    page.get_by_label("Your message").fill("a draft")
    page.context.set_offline(False)
    page.reload()
    expect(page.locator(".turn--2 .bubble")).to_have_count(1)
    assert shown(page) == ["kept", "ok"]
    expect(page.get_by_label("Your message")).to_have_value("a draft")


def test_what_is_sent_after_a_log_out_goes_out_once_the_person_is_back(
    model: StreamingModel, endpoint: Endpoint, person: User, page: Page, watch: Watch
) -> None:
    watch.expect("status of 403")
    chat = chat_with(endpoint, person)
    opened(page, chat)
    page.context.clear_cookies()
    write(page, "kept")
    expect(page.get_by_role("status").filter(has_text="logged out")).to_be_visible()
    sign_in(page, person)
    page.context.new_page().goto("/chats/")
    until(lambda: "sent" in kinds(chat), "the message arrived")
    expect(page.locator(".turn--2 .bubble")).to_have_text("ok")


def test_a_failed_reply_can_be_asked_for_again_and_a_reply_anew(
    model: StreamingModel, endpoint: Endpoint, person: User, page: Page
) -> None:
    model.scenes = [[400], ["Here."], ["Better."]]
    opened(page, chat_with(endpoint, person))
    write(page, "hi")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("Here.")).to_be_visible()
    page.get_by_role("button", name="Answer anew").click()
    expect(page.get_by_text("Better.")).to_be_visible()
    assert shown(page) == ["hi", "Better."]


def test_a_long_chat_stays_where_its_reader_is_and_says_that_there_is_more(
    model: StreamingModel, endpoint: Endpoint, person: User, page: Page
) -> None:
    model.scenes = [["<|msg|>".join(f"Line {number}." for number in range(200))], ["The news."]]
    chat = chat_with(endpoint, person)
    opened(page, chat)
    write(page, "tell me")
    expect(page.get_by_text("Line 199.")).to_be_in_viewport(timeout=60_000)
    page.locator("[data-scroll]").evaluate("element => element.scrollTop = 0")
    page.evaluate("document.querySelector('[data-scroll]').dispatchEvent(new Event('scroll'))")
    recording.send(chat.pk, "and now", "by-another-tab")
    expect(page.get_by_text("and now")).to_be_attached()
    expect(page.get_by_text("and now")).not_to_be_in_viewport()
    page.get_by_role("button", name="New messages").click()
    expect(page.get_by_text("The news.")).to_be_in_viewport()


@WIDTHS
def test_a_new_chat_is_begun_from_an_empty_list(
    model: StreamingModel, endpoint: Endpoint, person: User, page: Page
) -> None:
    sign_in(page, person)
    assert_usable(page, "/chats/", "/chats/new/")
    page.get_by_role("textbox", name="Theme").fill("Tea")
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_text("Write as you would to a friend")).to_be_visible()
    write(page, "hi")
    expect(page.locator(".turn--2 .bubble")).to_have_count(1)
    assert "What the chat is about: Tea" in model.asked[0][0]["content"]
    page.goto("/chats/?q=hi")
    expect(page.get_by_role("link", name="Chat with A <b>")).to_be_visible()
    assert_usable(page)
