"""What a rater does on the rating page."""

from playwright.sync_api import Page

from annotation.models import Membership, Rating
from tests.annotation.setting import KEYS


def begin(page: Page, rater: Membership) -> str:
    page.goto(f"/rate/{rater.token}/")
    return ready(page)


def ready(page: Page) -> str:
    """Wait until the page's script listens; gives the item's address."""
    page.locator("[data-rating][data-ready]").wait_for()
    return page.url


def submitted(page: Page, before: str) -> str:
    """Wait for the item after `before`."""
    page.wait_for_url(lambda url: url != before)
    return page.url


def point(page: Page, key: str, value: int) -> object:
    return page.locator(f"[data-question={key}] .point").nth(value - 1)


def values() -> list[list[int]]:
    """The current scores, one list a rating, in the rubric's order."""
    found = []
    for rating in Rating.objects.counted().order_by("pk"):
        scores = dict(rating.scores.values_list("metric", "value"))
        found.append([scores[key] for key in KEYS])
    return found
