"""A researcher watches the chats of a study, reads one, and reads the report, in a real browser."""

import pytest
from playwright.sync_api import Page, expect

from annotation.models import Chat, Study
from tests.annotation.chat_studies import begin, chat_study, chatted, exchange, hold, join, play
from tests.annotation.setting import user
from tests.browser.watching import Watch, assert_usable, sign_in

AWKWARD = 'Chats & <b>more</b> "quoted" 🙂 ' + "long" * 20


def watched_study() -> Study:
    study = chat_study(name=AWKWARD, backgrounds=3, k=2)
    ann, ben = join(study, 0), join(study, 1)
    for background, member in ((0, ann), (1, ben), (0, ben)):
        chatted(member, "Tuned", background, values=(3, 3, 3, 3))
    long = exchange(0, ["word " * 60, "مرحبا", "🙂" * 30, "x" * 200], ["<b>bold</b>", "answer " * 80])
    chatted(ann, "Plain", 0, events=long)
    play(begin(hold(ben, "Plain", 2)), exchange(0, ["hi"], ["hello"]))
    return study


def test_a_researcher_finds_the_chat_that_is_odd_and_reads_it(page: Page, watch: Watch) -> None:
    study = watched_study()
    sign_in(page, user("rey", "researcher"))
    page.goto(study.get_absolute_url())
    expect(page.get_by_text("1 chat in progress")).to_be_visible()
    page.get_by_role("link", name="Chats", exact=True).last.click()
    page.get_by_role("link", name="Marks").press("Enter")
    expect(page.get_by_role("columnheader", name="Marks")).to_have_attribute("aria-sort", "descending")
    page.get_by_role("row").nth(1).get_by_role("rowheader").get_by_role("link").click()
    expect(page.get_by_text("how are you ?", exact=False)).to_be_visible()
    expect(page.get_by_text("all scores equal")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_about_chats_fit_and_are_accessible(page: Page, watch: Watch) -> None:
    study = watched_study()
    sign_in(page, user("rey", "admin"))
    home, longest = study.get_absolute_url(), Chat.objects.filter(dialogue__version="chat-plain").get()
    open_one = Chat.objects.latest("pk")
    assert_usable(
        page,
        home,
        f"{home}chats/",
        f"{home}chats/{longest.pk}/",
        f"{home}chats/{open_one.pk}/",
        f"{home}raters/",
        f"{home}raters/{study.memberships.earliest('pk').pk}/",
        f"{home}items/1/",
        f"{home}report/",
    )
