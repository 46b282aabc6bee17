"""Row 7: web servers and workers killed with SIGKILL while people chat and a run goes on."""

import json
import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
from django.conf import settings

from annotation.chats import recording, watching
from annotation.models import Chat, ChatEvent
from annotation.roles import Role
from generation.models import Endpoint, LiveBudget, LiveCall, Run
from tests.annotation.chatting import chat_with
from tests.faults import engine
from tests.faults.processes import Crew, working_crew
from tests.faults.site import Report, Site
from tests.faults.web import Web, running_web
from tests.generation.runs import endpoint_at
from tests.people import make_user, session_of
from tests.waiting import until

PATIENCE = 180
AGAIN = 0.1  # seconds until a page tries again
LINE_SECONDS = 25.0  # without a word on an open line, after which a page opens another
CSRF = "c" * 32
TAG = "chats"
LATENCY = 0.3  # of the model, so that calls are on their way when a kill comes


@dataclass
class Person:
    """One person's page: sends again what got no answer, and follows the events from the last one it knows."""

    chat: Chat
    session: str
    base_url: str
    over: threading.Event
    acknowledged: dict[str, str] = field(default_factory=dict)  # by the message's id
    told: list[dict[str, Any]] = field(default_factory=list)
    is_answered: bool = False
    answers: Counter[int] = field(default_factory=Counter)  # by status; 0: none came

    def work(self) -> None:
        """Write bursts, each answered before the next one, until it is over."""
        drawn = random.Random(self.chat.pk)
        cookies = {settings.SESSION_COOKIE_NAME: self.session, settings.CSRF_COOKIE_NAME: CSRF}
        headers = {"X-CSRFToken": CSRF}
        with httpx2.Client(base_url=self.base_url, cookies=cookies, headers=headers, timeout=LINE_SECONDS) as browser:
            while not self.over.is_set():
                self.is_answered = False
                for _ in range(drawn.randint(1, 2)):
                    self._send(browser)
                self._follow_until_answered(browser)

    def _send(self, browser: httpx2.Client) -> None:
        message = {"id": str(uuid.uuid4()), "text": f"chat {self.chat.pk} message {len(self.acknowledged)}"}
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                status = browser.post(f"{self.chat.get_absolute_url()}messages/", json=message).status_code
            except httpx2.TransportError:
                status = 0
            self.answers[status] += 1
            if status == 200:
                self.acknowledged[message["id"]] = message["text"]
                return
            assert status == 0 or status >= 500, status
            time.sleep(AGAIN)  # as the page does before it sends again
        raise TimeoutError(f"no answer within {PATIENCE} s")

    def _follow_until_answered(self, browser: httpx2.Client) -> None:
        deadline = time.monotonic() + PATIENCE
        while not self.is_answered and time.monotonic() < deadline:
            try:
                self._follow(browser)
            except httpx2.TransportError:
                self.answers[0] += 1
            time.sleep(AGAIN)  # as the page does before it comes back
        assert self.is_answered, f"chat {self.chat.pk} got no answer within {PATIENCE} s"

    def _follow(self, browser: httpx2.Client) -> None:
        after = self.told[-1]["number"] if self.told else 0
        with browser.stream("GET", f"{self.chat.get_absolute_url()}events/?after={after}") as lines:
            for event in _events(lines):
                self.told.append(event)
                if event["kind"] == "failed" and not event["again"]:
                    browser.post(f"{self.chat.get_absolute_url()}sign/retry/")
                self.is_answered = event["kind"] == "replied" and self._knows_all
                if self.is_answered:
                    return

    @property
    def _knows_all(self) -> bool:
        """Whether the page has seen all that it sent: a reply before that was to something earlier."""
        return len(self.acknowledged) == sum(event["kind"] == "sent" for event in self.told)


def _events(lines: httpx2.Response) -> Iterator[dict[str, Any]]:
    for line in lines.iter_lines():
        if line.startswith('data: {"number'):
            yield json.loads(line[6:])


def row(site: Site) -> Report:
    """Twenty kills under ten chats."""
    kills = ["web", "workers"] if site.short else ["web", "workers", "web process", "web process"] * 5
    people, size = (4, 12) if site.short else (10, 400)
    report = Report(f"{len(kills)} SIGKILLs of web servers and workers under {people} chats and a run")
    endpoint = endpoint_at(site.model.base_url(TAG, f"good-{LATENCY:g}"), name=TAG, timeout_seconds=20)
    run = engine.started(site, "beside-chats", size, behaviour="good-0.2", stages=["theme"])
    over = threading.Event()
    hurried = {"app": "tests.faults.worker_app", "FAULTS_SWEEP_SECONDS": "1"} if site.short else {}
    with running_web(site) as web, working_crew(site, **hurried) as crew:
        chatting = [_person(endpoint, number, web.url, over) for number in range(people)]
        threads = [threading.Thread(target=person.work) for person in chatting]
        for thread in threads:
            thread.start()
        try:
            in_flight = [_kill(site, web, crew, chatting, run, kind) for kind in kills]
        finally:
            over.set()
            for thread in threads:
                thread.join(PATIENCE)
        until(lambda: engine.finished(run), "the run finishes", PATIENCE)
    report.told("live calls on their way at the kills", sum(in_flight))
    _report_chats(report, chatting)
    _report_calls(report, site, sum(in_flight))
    return report


def _person(endpoint: Endpoint, number: int, url: str, over: threading.Event) -> Person:
    person = make_user(Role.RESEARCHER, f"{TAG}-{number}")
    return Person(chat_with(endpoint, person, silence=0.3), session_of(person), url, over)


def _kill(site: Site, web: Web, crew: Crew, people: list[Person], run: Run, kind: str) -> int:
    """Kill once everybody got on with their chat and calls are on their way; returns how many live calls died."""
    before = [len(person.acknowledged) for person in people]
    until(
        lambda: all(len(one.acknowledged) > count for one, count in zip(people, before, strict=True)), "news", PATIENCE
    )
    until(LiveCall.objects.filter(state="sent").exists, "a live call on its way", PATIENCE)
    if kind == "workers":
        dead = crew.kill_group(0)
        if site.short:
            engine.expire_leases(run, dead)
        lost = 0
    else:
        lost = _kill_web(web, whole=kind == "web")
    site.say(f"{kind} killed: {lost} live calls on their way, {sum(before)} messages acknowledged before")
    return lost


def _kill_web(web: Web, *, whole: bool) -> int:
    """All of the server, or one of its processes, which it replaces."""
    if whole:
        dead = web.group.pids
        web.group.kill()
    else:
        dead = {web.group.kill_child()}
    lost = LiveCall.objects.filter(state="sent", chat_events__chat__in=_driven_by(dead)).count()
    if whole:
        web.start()
    return lost


def _driven_by(pids: set[int]) -> list[int]:
    rows = Chat.objects.exclude(driver="").values_list("pk", "driver")
    return [pk for pk, driver in rows if engine.pid_of(f"{driver}") in pids]


def _report_chats(report: Report, people: list[Person]) -> None:
    answers = sum((person.answers for person in people), Counter[int]())
    report.told("messages acknowledged", sum(len(person.acknowledged) for person in people))
    report.at_least("messages and lines that met a fault", sum(answers[one] for one in answers if one != 200), 1)
    report.exactly("chats whose last messages are answered", sum(one.is_answered for one in people), len(people))
    lost = doubled = untold = told_twice = 0
    for person in people:
        events = list(ChatEvent.objects.filter(chat=person.chat).order_by("number"))
        sent = Counter((event.client_id, event.text) for event in events if event.kind == "sent")
        lost += sum(not sent[one] for one in person.acknowledged.items())
        doubled += sum(sent.values()) - len({name for name, _ in sent})
        numbers = [event["number"] for event in person.told]
        visible = {told["number"] for event in events if (told := watching.shown(event))}
        untold += len({one for one in visible if one <= max(numbers)} - set(numbers))
        told_twice += len(numbers) - len(set(numbers))
    report.exactly("acknowledged messages that are missing", lost, 0)
    report.exactly("messages that are there twice", doubled, 0)
    report.exactly("events that a page was not told", untold, 0)
    report.exactly("events that a page was told twice", told_twice, 0)
    unanswered = [one for one in people if recording.conversation_of(one.chat).unanswered]
    report.exactly("chats with something unanswered", len(unanswered), 0)


def _report_calls(report: Report, site: Site, in_flight: int) -> None:
    counted = site.model.count(TAG)
    rows = LiveCall.objects.filter(endpoint__name=TAG)
    report.told("live calls", rows.count())
    report.at_most("requests beyond the calls in the ledger", counted["requests"] - rows.count(), 0)
    report.at_most("live calls asked again", counted["repeated"], in_flight)
    report.at_most("live calls paid twice", counted["billed_again"], in_flight)
    report.exactly("live calls that stayed open", rows.filter(state="sent").count(), 0)
    reserving = LiveBudget.objects.filter(chat__endpoint__name=TAG, reserved__gt=0)
    report.exactly("budgets with something still reserved", reserving.count(), 0)
