"""What a rater waits for: the first rating page with an empty cache, then the pages after it. Run by hand:

    python -m tests.benchmarks.rating_page [--messages 30] [--rounds 15]

Usable means that the page's script listens, counted from the start of the navigation to the study's address (its
redirect to the item included); for the next page from the press of Enter that submits the one before. Uses the
database that DATABASE_URL names (it must be migrated) and removes what it made.
"""

import argparse
import os
import statistics
import time

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
django.setup()

from django.contrib.auth.models import User
from playwright.sync_api import Browser, sync_playwright

from annotation.models import Membership, Study
from annotation.roles import Role
from dialogues.models import Corpus
from tests.annotation.setting import corpus, member, study
from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.browser.meter import Meter
from tests.browser.server import running_server
from tests.browser.watching import sign_in
from tests.people import make_user

NAME = "benchmark-rater"
VERSIONS = ("alpha", "beta")
READY = "[data-rating][data-ready]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=15, help="fresh browsers, and items rated in the last one")
    options = parser.parse_args()
    remove()
    try:
        rater = made(options.messages, options.rounds)
        with running_server() as server, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
            print(f"{options.messages} messages; {options.rounds} rounds; ms until usable")
            print(f"{'':20}{'median':>8}{'longest':>9}{'requests':>10}{'kB':>8}")
            # The server's first answer loads its code; nobody's browser is measured on it.
            first_page(browser, server.url, rater)
            show("first page, cold", [first_page(browser, server.url, rater) for _ in range(options.rounds)])
            show("next page, warm", next_pages(browser, server.url, rater, options.rounds))
            browser.close()
    finally:
        remove()


Measured = tuple[float, int, float]


def made(messages: int, rounds: int) -> Membership:
    chats = corpus((rounds + 3) // 2, VERSIONS, name=NAME)
    for row in chats.dialogues.all():
        texts = [
            [1 + place // 2 % 2, f"message {place} of a chat, number {row.pk}, some words long"]
            for place in range(messages)
        ]
        type(row).objects.filter(pk=row.pk).update(messages=texts, message_count=messages)
    make_user(Role.RATER, NAME)
    return member(study(of=chats, versions=VERSIONS, name=NAME), NAME)


def first_page(browser: Browser, url: str, rater: Membership) -> Measured:
    context = browser.new_context(base_url=url, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    sign_in(page, rater.rater)
    meter = Meter.of(page)
    began = time.perf_counter()
    page.goto(f"/rate/{rater.token}/", wait_until="commit")
    page.locator(READY).wait_for()
    took = time.perf_counter() - began
    page.wait_for_load_state("networkidle")
    context.close()
    return took * 1000, meter.sent, meter.received / 1000


def next_pages(browser: Browser, url: str, rater: Membership, rounds: int) -> list[Measured]:
    context = browser.new_context(base_url=url, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    sign_in(page, rater.rater)
    page.goto(f"/rate/{rater.token}/", wait_until="networkidle")
    meter = Meter.of(page)
    found = []
    for _ in range(rounds):
        page.locator(READY).wait_for()
        page.keyboard.type("333333")
        page.locator("[data-saved][data-tone=ok]").wait_for()
        before = page.url
        meter.start()
        began = time.perf_counter()
        page.keyboard.press("Enter")
        page.wait_for_url(lambda address, old=before: address != old, wait_until="commit")
        page.locator(READY).wait_for()
        took = time.perf_counter() - began
        page.wait_for_load_state("networkidle")
        found.append((took * 1000, meter.sent, meter.received / 1000))
    context.close()
    return found


def show(label: str, found: list[Measured]) -> None:
    times = [took for took, _, _ in found]
    requests, kilobytes = max(sent for _, sent, _ in found), max(size for _, _, size in found)
    print(f"{label:20}{statistics.median(times):8.0f}{max(times):9.0f}{requests:10}{kilobytes:8.1f}")


def remove() -> None:
    Study.objects.filter(name=NAME).delete()
    Corpus.objects.filter(name=NAME).delete()
    User.objects.filter(username=NAME).delete()


if __name__ == "__main__":
    main()
