"""What a rating page costs a rater's line: requests and bytes as they are sent, first and again."""

from playwright.sync_api import Page

from annotation.models import Membership
from tests.annotation.setting import TWO, corpus, member, study
from tests.browser.meter import Meter
from tests.browser.rating_page import ready, submitted
from tests.browser.watching import sign_in

KB = 1000


def rater_of_long_dialogues() -> Membership:
    """Dialogues of thirty messages, as the studies have them."""
    chats = corpus(4, TWO)
    for row in chats.dialogues.all():
        texts = [
            [1 + place // 2 % 2, f"message {place} of a chat about number {row.pk}, some words long"]
            for place in range(30)
        ]
        type(row).objects.filter(pk=row.pk).update(messages=texts, message_count=30)
    return member(study(of=chats, versions=TWO), "ann")


def test_the_first_page_is_six_requests_and_sixty_kilobytes_and_the_next_ones_fifteen(page: Page) -> None:
    ann = rater_of_long_dialogues()
    sign_in(page, ann.rater)
    meter = Meter.of(page)
    page.goto(f"/rate/{ann.token}/", wait_until="networkidle")
    url = ready(page)
    assert 0 < meter.sent <= 6, meter.requests
    assert 10 * KB < meter.received <= 60 * KB
    meter.start()
    with page.expect_response("**/draft/?**"):
        page.keyboard.type("333333")
    page.keyboard.press("Enter")
    submitted(page, url)
    ready(page)
    page.wait_for_load_state("networkidle")
    # A draft, the submission and the next page, whose style and script are there already.
    assert 0 < meter.received <= 15 * KB, meter.requests
    assert not any(
        ".css" in name or ".js" in name for name in meter.requests if name.split("http")[0] not in meter._cached
    )
