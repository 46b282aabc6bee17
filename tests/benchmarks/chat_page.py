"""From the model's delimiter to the bubble on the screen, in a real browser and without pace. Run by hand:

    python -m tests.benchmarks.chat_page [--bubbles 60]

The clock starts when the last letter of a bubble's delimiter has reached the server and stops at the frame after the
bubble was put into the page. Uses the database that DATABASE_URL names (it must be migrated) and removes what it made.
"""

import argparse
import os
import statistics
from collections.abc import Callable
from datetime import datetime
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
os.environ |= {"ENDPOINT_ALLOWED_HOSTS": "127.0.0.1", "HTTPS": "0"}
django.setup()

from django.contrib.auth.models import User
from playwright.sync_api import Page, sync_playwright

from annotation.models import Chat, ChatEvent
from annotation.roles import Role
from generation.models import Endpoint, LiveBudget, LiveCall
from tests.annotation.chatting import chat_with
from tests.annotation.streaming_model import Gate, StreamingModel, streaming_model
from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.browser.server import running_server
from tests.browser.watching import sign_in
from tests.people import make_user

NAME = "benchmark-chat-page"
WATCH = """
window.frames = {};
new MutationObserver((changes) => changes.forEach(({ addedNodes }) => addedNodes.forEach((node) => {
  const text = node.querySelector?.(".bubble")?.textContent;
  if (text) requestAnimationFrame(() => setTimeout(() => {
    window.frames[text] = performance.timeOrigin + performance.now();
  }));
}))).observe(document.querySelector("[data-bubbles]"), { childList: true });
"""
SHOWN = "text => window.frames[text] !== undefined"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bubbles", type=int, default=60, help="of each kind")
    options = parser.parse_args()
    remove()
    try:
        with streaming_model() as model, running_server() as server:
            endpoint = Endpoint.objects.create(name=NAME, base_url=model.base_url, model="m")
            chat = chat_with(endpoint, make_user(Role.RESEARCHER, NAME))
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
                page = browser.new_context(base_url=server.url).new_page()
                sign_in(page, chat.person)
                page.goto(chat.get_absolute_url())
                page.evaluate(WATCH)
                print(
                    f"load {os.getloadavg()[0]:.1f}; ms from the delimiter at the server to the frame with the bubble"
                )
                print(f"{'':28}{'median':>8}{'p95':>8}{'longest':>9}")
                for label, act in ACTIONS.items():
                    show(label, act(page, chat, model, options.bubbles))
                browser.close()
    finally:
        remove()


def first_bubbles(page: Page, chat: Chat, model: StreamingModel, count: int) -> list[float]:
    """The first bubble of a reply, while the rest is still on its way."""
    times = []
    for number in range(count):
        gate, begun = Gate(), Gate()
        model.scenes.append([f"First {number}", begun, ".<|msg|>", gate, "Rest."])
        write(page, f"question {number}")
        begun.reached.wait(60)
        begun.open()
        times.append(measured(page, chat, f"First {number}."))
        gate.open()
        page.locator("[data-typing]").wait_for(state="hidden")
    return times


def next_bubbles(page: Page, chat: Chat, model: StreamingModel, count: int) -> list[float]:
    """Further bubbles of one long reply."""
    gates = [Gate() for _ in range(count)]
    scene: list[Any] = ["Begun.<|msg|>"]
    for number, gate in enumerate(gates):
        scene += [f"Next {number}", gate, ".<|msg|>"]
    model.scenes.append([*scene, "End."])
    write(page, "go on")
    page.wait_for_function(SHOWN, arg="Begun.")
    times = []
    for number, gate in enumerate(gates):
        gate.reached.wait(60)
        gate.open()
        times.append(measured(page, chat, f"Next {number}."))
    return times


def measured(page: Page, chat: Chat, text: str) -> float:
    page.wait_for_function(SHOWN, arg=text)
    frame: float = page.evaluate("text => window.frames[text]", text)
    ready = ChatEvent.objects.get(chat=chat, kind="bubble_ready", text=text)
    return frame - datetime.fromisoformat(ready.detail["received"]).timestamp() * 1000


def write(page: Page, text: str) -> None:
    page.locator("[data-text]").fill(text)
    page.keyboard.press("Enter")


def show(label: str, times: list[float]) -> None:
    p95 = statistics.quantiles(times, n=20)[-1]
    print(f"{label:28}{statistics.median(times):8.0f}{p95:8.0f}{max(times):9.0f}", flush=True)


def remove() -> None:
    Chat.objects.filter(endpoint__name=NAME).delete()
    pots = list(LiveCall.objects.filter(endpoint__name=NAME).values_list("budget", flat=True))
    LiveCall.objects.filter(endpoint__name=NAME).delete()
    LiveBudget.objects.filter(pk__in=pots).delete()
    Endpoint.objects.filter(name=NAME).delete()
    User.objects.filter(username=NAME).delete()


ACTIONS: dict[str, Callable[[Page, Chat, StreamingModel, int], list[float]]] = {
    "first bubble of a reply": first_bubbles,
    "a further bubble": next_bubbles,
}

if __name__ == "__main__":
    main()
