"""Raters as processes at a served product: exactly k ratings an item, nothing lost, no server error."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db.models import F

from annotation.models import Assignment, Membership, Rating, Study
from config import processes
from tests.annotation.http_raters import OVERLAPS, rate_over_http, results
from tests.annotation.setting import corpus, member, study
from tests.browser.server import ROOT, database_url, wait_until_up
from tests.demo_process import free_port
from tests.people import session_of
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)
RATERS = int(os.environ.get("HTTP_RATERS", "5"))
SUBMISSIONS = int(os.environ.get("HTTP_SUBMISSIONS", "48"))
KILLS = int(os.environ.get("HTTP_KILLS", "1"))
LEAVERS = max(1, RATERS // 8)


class Served:
    """A web server that can be killed in the middle and started again on the same port."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = Path(settings.DATA_DIR) / "http-raters.log"
        self.start()

    def start(self) -> None:
        environment = os.environ | {"DEBUG": "1", "DATABASE_URL": database_url()}
        with self.log.open("ab") as sink:
            self.process = subprocess.Popen(
                processes.web("127.0.0.1", self.port),
                cwd=ROOT,
                env=environment,
                stdout=sink,
                stderr=sink,
                start_new_session=True,
            )
        wait_until_up(f"{self.url}/healthz", self.process, self.log)

    def kill(self) -> None:
        # The whole group: it may be several processes.
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def served() -> Iterator[Served]:
    server = Served()
    try:
        yield server
    finally:
        server.kill()


def raters_of(studies: list[Study], count: int) -> list[tuple[str, list[str]]]:
    found = []
    for number in range(count):
        members = [member(one, f"rater-{number}") for one in studies]
        found.append((session_of(members[0].rater), [one.token for one in members]))
    return found


def rated(studies: list[Study]) -> int:
    return Rating.objects.filter(assignment__study__in=studies, is_current=True).count()


def let_leases_run_out(studies: list[Study]) -> None:
    """Hours pass for whoever is silent; who is at it begins their lease anew with every look."""
    held = Assignment.objects.filter(study__in=studies, state="open", membership__isnull=False)
    held.update(lease_until=F("lease_until") - timedelta(hours=2))


@pytest.mark.timeout(1500)
def test_through_kills_and_leases_every_item_gets_exactly_its_raters_and_nothing_is_lost() -> None:
    backgrounds = max(1, round(SUBMISSIONS / sum(OVERLAPS) / 4))
    chats = corpus(backgrounds)
    studies = [study(k, of=chats) for k in OVERLAPS]
    wanted = 4 * backgrounds * sum(OVERLAPS)
    with served() as server:
        people = rate_over_http(server.url, raters_of(studies, RATERS), leavers=LEAVERS)
        for number in range(KILLS):
            share = wanted * (number + 1) / (KILLS + 2)
            until(lambda share=share: rated(studies) >= share, f"{share:g} ratings", seconds=600)  # type: ignore[misc]
            server.kill()
            let_leases_run_out(studies)
            server.start()
        found = results(people)
        # Who left early still holds an item each; somebody comes back after its lease.
        let_leases_run_out(studies)
        found += results(rate_over_http(server.url, raters_of(studies, RATERS)[: len(people) - LEAVERS]))
    statuses = sum((Counter(one["statuses"]) for one in found), Counter())
    assert not [status for status in statuses if int(status) >= 500], statuses
    for one in studies:
        counts = Counter(Rating.objects.counted().for_study(one).values_list("assignment__item_id", flat=True))
        assert set(counts.values()) == {one.raters_per_item}
        assert len(counts) == 4 * backgrounds
        by_rater = Counter(
            Rating.objects.for_study(one).values_list("assignment__item_id", "assignment__membership_id")
        )
        assert set(by_rater.values()) == {1}
    kept = [submission for one in found for submission in one["kept"]]
    assert len(kept) == len(set(kept)) == wanted
    assert set(map(str, Rating.objects.values_list("submission_id", flat=True))) == set(kept)
    sys.stdout.write(f"{len(kept)} kept, {KILLS} kills, answers {dict(statuses)}\n")


@pytest.mark.timeout(600)
@pytest.mark.parametrize("k", [None, 2])
def test_raters_who_arrive_in_the_same_instant_get_an_item_each_and_none_twice(k: int | None) -> None:
    one = study(k, of=corpus(8))
    with served() as server:
        found = results(rate_over_http(server.url, raters_of([one], RATERS), leavers=RATERS))
    assert not [status for person in found for status in person["statuses"] if int(status) >= 400 or status == "0"]
    held = list(Assignment.objects.filter(study=one, opened_at__isnull=False).values_list("membership", "item", "slot"))
    assert len({membership for membership, _, _ in held}) == len(held) == RATERS == Membership.objects.count()
    if k is not None:
        assert len({(item, slot) for _, item, slot in held}) == RATERS
