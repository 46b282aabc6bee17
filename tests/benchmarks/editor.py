"""From a key to the paint that shows it, in the restructuring editor on a long dialogue. Run by hand from the checkout:

    python -m tests.benchmarks.editor [--messages 200] [--rounds 60]

Chromium's own Event Timing: from the moment the key was pressed until the frame with its effect was presented, in steps
of 8 ms; shorter ones than 16 ms are not reported and count as 16. The rival is the same page without its script: as
many bare text fields. Uses the database that DATABASE_URL names (it must be migrated) and removes what it made.
"""

import argparse
import os
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
django.setup()

from django.contrib.auth.models import User
from playwright.sync_api import Page, sync_playwright

from annotation.models import Operation, Restructuring
from annotation.roles import Role
from dialogues.models import Corpus
from tests.annotation.restructured import CHAT, asked, gamma
from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.browser.server import running_server
from tests.browser.watching import sign_in
from tests.people import make_user

NAME = "benchmark-annotator"
SHORTEST = 16
WATCH = """
window.frames = [];
new PerformanceObserver((list) => list.getEntries().forEach((entry) =>
  entry.name === "keydown" && window.frames.push(entry.duration)
)).observe({ type: "event", durationThreshold: 16 });
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=60, help="keys of each kind")
    options = parser.parse_args()
    remove()
    try:
        work = asked(make_user(Role.RATER, NAME), gamma(long_chat(options.messages), key="benchmark"))
        with running_server() as server, chromium(server.url, work) as (editor, plain):
            print(f"{options.messages} messages, {options.rounds} keys of each kind; ms from key to paint")
            print(f"{'':34}{'median':>8}{'p95':>8}{'longest':>9}")
            for label, act in ACTIONS.items():
                show(label, measured(editor, act, options.rounds))
            show("typing in bare fields (rival)", measured(plain, typing, options.rounds))
    finally:
        remove()


def long_chat(messages: int) -> list[list[object]]:
    return [list(CHAT[place % len(CHAT)]) for place in range(messages)]


@contextmanager
def chromium(url: str, work: Restructuring) -> Iterator[tuple[Page, Page]]:
    """The editor, and the same page without its script."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        pages = []
        for is_plain in (False, True):
            context = browser.new_context(base_url=url, viewport={"width": 1280, "height": 900})
            page = context.new_page()
            if is_plain:
                page.route(
                    "**/restructuring/*.js", lambda route: route.fulfill(body="", content_type="text/javascript")
                )
            sign_in(page, work.annotator)
            page.add_init_script(WATCH)
            page.goto(work.get_absolute_url())
            page.locator("[data-pieces] textarea").nth(100).click()
            pages.append(page)
        yield pages[0], pages[1]
        browser.close()


def typing(page: Page, number: int) -> None:
    page.keyboard.press("abcdefgh "[number % 9] if number % 9 < 8 else "Space")


def splitting(page: Page, number: int) -> None:
    if number % 2 == 0:
        to_a_gap(page)
    page.keyboard.press("Enter" if number % 2 == 0 else "Backspace")


def moving(page: Page, number: int) -> None:
    page.keyboard.press("Alt+ArrowDown" if number % 2 else "Alt+ArrowUp")


def undoing(page: Page, number: int) -> None:
    page.keyboard.press("Control+z" if number % 2 == 0 else "Control+Shift+z")


def to_a_gap(page: Page) -> None:
    page.evaluate("() => { const box = document.activeElement; const at = box.value.trim().indexOf(' ') + 1;"
                  "box.setSelectionRange(at, at); }")  # fmt: skip


ACTIONS: dict[str, Callable[[Page, int], None]] = {
    "typing": typing,
    "split and merge": splitting,
    "move": moving,
    "undo and redo": undoing,
}


def measured(page: Page, act: Callable[[Page, int], None], rounds: int) -> list[float]:
    """Milliseconds of each key; modifier keys are events of their own and left out by their number."""
    found: list[float] = []
    for number in range(rounds):
        page.evaluate("window.frames = []")
        act(page, number)
        page.wait_for_timeout(60)  # a few frames, which the page counts by itself
        found.append(max([SHORTEST, *page.evaluate("window.frames")]))
    return found


def show(label: str, times: list[float]) -> None:
    p95 = statistics.quantiles(times, n=20)[-1]
    print(f"{label:34}{statistics.median(times):8.0f}{p95:8.0f}{max(times):9.0f}")


def remove() -> None:
    Operation.objects.filter(person__username=NAME).delete()
    Restructuring.objects.filter(annotator__username=NAME).delete()
    Corpus.objects.filter(name="Seeds").delete()
    User.objects.filter(username=NAME).delete()


if __name__ == "__main__":
    main()
