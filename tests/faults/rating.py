"""Row 4, the other half: the database's connections ended and the database itself crashed, under raters."""

import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
from django.conf import settings
from django.db import connections

from annotation.models import Assignment, Membership, Rating
from tests.annotation.setting import KEYS, corpus, member, study
from tests.faults.database import terminate
from tests.faults.site import Report, Site
from tests.faults.web import running_web
from tests.people import session_of
from tests.waiting import until

PATIENCE = 120
AGAIN = 0.1  # seconds until a rater's page tries again
CSRF = "c" * 32  # of the rater's own making: the cookie and the header need only be the same


@dataclass(frozen=True)
class Kept:
    """Something that the server said it has."""

    token: str  # of the item
    scores: dict[str, int]


@dataclass
class Rater:
    """One browser's page: keeps a draft, submits, and sends again what got no answer or an error."""

    membership: str
    session: str
    base_url: str
    over: threading.Event
    submitted: dict[str, Kept] = field(default_factory=dict)  # by submission id
    last_draft: Kept | None = None
    answers: Counter[int] = field(default_factory=Counter)  # by status; 0: none came

    def work(self) -> None:
        """Rate until it is over, and leave one draft behind."""
        drawn = random.Random(self.membership)
        cookies = {settings.SESSION_COOKIE_NAME: self.session, settings.CSRF_COOKIE_NAME: CSRF}
        headers = {"X-CSRFToken": CSRF}
        with httpx2.Client(base_url=self.base_url, cookies=cookies, headers=headers, timeout=10) as browser:
            item = self._next(browser)
            while item:
                scores = {key: drawn.randint(1, 5) for key in KEYS}
                self._answer(browser, f"{item}draft/", {"version": 0, "scores": scores})
                if self.over.is_set():
                    self.last_draft = Kept(_token(item), scores)
                    return
                item = self._submit(browser, item, scores)

    def _next(self, browser: httpx2.Client) -> str:
        """The address of the item that the rater is sent to; "" where all is rated."""
        reply = self._until_answered(lambda: browser.get(f"/rate/{self.membership}/"), 200, 302)
        return str(reply.headers["Location"]) if reply.status_code == 302 else ""

    def _submit(self, browser: httpx2.Client, item: str, scores: dict[str, int]) -> str:
        """Submit and give the next item's address, or "" where there is none."""
        sent = {"submission_id": str(uuid.uuid4()), "scores": scores}
        reply = self._answer(browser, f"{item}submit/", sent)
        self.submitted[sent["submission_id"]] = Kept(_token(item), scores)
        assert reply["id"] == sent["submission_id"]
        # Where a block of versions ends, the answer is where to ask for the next one.
        return str(reply["next"]) if "/item/" in reply["next"] else self._next(browser)

    def _answer(self, browser: httpx2.Client, address: str, body: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = self._until_answered(lambda: browser.post(address, json=body), 200).json()
        return found

    def _until_answered(self, ask: Callable[[], httpx2.Response], *wanted: int) -> httpx2.Response:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                response = ask()
            except httpx2.TransportError:
                self.answers[0] += 1
            else:
                self.answers[response.status_code] += 1
                if response.status_code in wanted:
                    return response
                # A refusal would come again.
                assert response.status_code >= 500, f"{response.status_code}: {response.text[:300]}"
            time.sleep(AGAIN)  # as the page does before it sends again
        raise TimeoutError(f"no answer within {PATIENCE} s")


def _token(item: str) -> str:
    """Of `/rate/item/<token>/`."""
    return item.rstrip("/").rsplit("/", 1)[1]


def row(site: Site) -> Report:
    """50 ended connections and 3 crashes; a shared database is not crashed."""
    ends, crashes, raters = (8, 0, 4) if site.short else (50, 3, 8)
    crashes = crashes if site.postgres else 0
    report = Report(f"database: {ends} terminated backends and {crashes} restarts under {raters} raters")
    backgrounds = 60 if site.short else 250
    of = study(None, of=corpus(backgrounds, name="Rated"))
    members = [member(of, f"rater-{number}") for number in range(raters)]
    over = threading.Event()
    with running_web(site) as web:
        people = [Rater(one.token, session_of(one), web.url, over) for one in members]
        threads = [threading.Thread(target=person.work) for person in people]
        for thread in threads:
            thread.start()
        try:
            ended, crashed = _break(site, people, ends, crashes, step=2 if site.short else 20)
        finally:
            over.set()
            for thread in threads:
                thread.join(PATIENCE)
    connections.close_all()  # our own did not outlive a crash either
    report.at_least("backends terminated", ended, ends)
    report.exactly("restarts without a checkpoint", crashed, crashes)
    report.exactly("raters who could go on to the end", sum(person.last_draft is not None for person in people), raters)
    _report_answers(report, people)
    _report_kept(report, people, members)
    return report


def _break(site: Site, people: list[Rater], ends: int, crashes: int, *, step: int) -> tuple[int, int]:
    """End connections every `step` ratings, with a crash now and then; returns how many of each there were."""
    ended = crashed = 0
    while ended < ends:
        until(_at_least(people, _submitted(people) + step), "more submissions", PATIENCE, pause=0.005)
        ended += terminate(site.database_url)
        if site.postgres and crashed < crashes and ended >= (crashed + 1) * ends / (crashes + 1):
            site.postgres.crash()
            site.postgres.start()
            crashed += 1
            site.say(f"restart {crashed}, {_submitted(people)} submitted")
    return ended, crashed


def _at_least(people: list[Rater], submitted: int) -> Callable[[], bool]:
    return lambda: _submitted(people) >= submitted


def _submitted(people: list[Rater]) -> int:
    return sum(len(person.submitted) for person in people)


def _report_answers(report: Report, people: list[Rater]) -> None:
    answers = sum((person.answers for person in people), Counter[int]())
    report.told("submissions acknowledged", _submitted(people))
    report.at_least("requests that met a fault", sum(answers[status] for status in answers if not 0 < status < 500), 1)
    report.told("of them told in words to come again (503)", answers[503])
    report.exactly("of them left without words (500)", answers[500], 0)


def _report_kept(report: Report, people: list[Rater], members: list[Membership]) -> None:
    """What the server said it has, against what the database holds."""
    stored = {str(one.submission_id): one for one in _ratings(members)}
    missing = [
        key for person in people for key, kept in person.submitted.items() if not _is_whole(stored.get(key), kept)
    ]
    report.exactly("acknowledged submissions that are missing or torn", len(missing), 0)
    drafts = [person.last_draft for person in people if person.last_draft is not None]
    lost = [kept for kept in drafts if Assignment.objects.get(token=kept.token).draft.get("scores") != kept.scores]
    report.exactly("acknowledged drafts that are missing", len(lost), 0)
    places = [one.assignment_id for one in stored.values()]
    report.exactly("items rated twice by one rater", len(places) - len(set(places)), 0)
    # Whether acknowledged or not: a rating, all its scores and its item's state come together or not at all.
    submitted = Assignment.objects.filter(membership__in=members, state=Assignment.State.SUBMITTED)
    torn = [one for one in stored.values() if one.scores.count() != len(KEYS) or not one.is_current]
    apart = set(submitted.values_list("pk", flat=True)) ^ set(places)
    report.exactly("ratings that are there in part", len(torn) + len(apart), 0)


def _ratings(members: list[Membership]) -> Iterator[Rating]:
    rows = Rating.objects.filter(assignment__membership__in=members).select_related("assignment")
    return rows.prefetch_related("scores").iterator(chunk_size=1000)


def _is_whole(rating: Rating | None, kept: Kept) -> bool:
    return (
        rating is not None
        and rating.assignment.token == kept.token
        and {score.metric: score.value for score in rating.scores.all()} == kept.scores
    )
