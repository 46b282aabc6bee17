"""Whatever happens to calls, in whatever order, a run's account is the sum of its calls and stays within its budget."""

from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

import pytest
from django.db.models import Sum
from django.utils import timezone

from generation.endpoints.client import CallError, Reply, Trouble
from generation.engine import ledger, lifecycle, reading, rereading, retrying
from generation.engine.ledger import Claimed, Settlement
from generation.models import Call, Endpoint, Run, Runner, Stage
from generation.watching.progress import progress_of
from tests.generation.calls import PAIR_REPLY, THEME_REPLY
from tests.generation.runs import NOWHERE, endpoint_at, small_corpus, started

pytestmark = pytest.mark.django_db

BUDGET = Decimal("0.4")
SPLIT_REPLY = '{"step_by_step": [[1,"a"],[1,"b"],[2,"c"],[1,"d"],[2,"e"]]}'
FITTING = {"Task: theme": THEME_REPLY, "Task: pair": PAIR_REPLY, "Task: further-split": SPLIT_REPLY}
STEPS = 120


class World:
    """Two writers, a clock, and everything that may happen to their run; seeded."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.now: datetime = timezone.now()
        prices = {"price_in": Decimal(2), "price_out": Decimal(8)}
        self.endpoints = [endpoint_at(NOWHERE, name=name, **prices) for name in ("A", "B")]
        one, two = self.endpoints
        self.run = started(
            small_corpus(6), one, endpoints={Stage.THEME: [one], Stage.PAIR: [one, two]}, budget=BUDGET, max_tokens=2000
        )
        self.sent: list[Claimed] = []

    def step(self) -> None:
        self.now += timedelta(seconds=self.rng.choice((1, 30, 400)))
        happening = self.rng.choice(
            (self.claim, self.claim, self.claim, self.claim, self.settle, self.settle, self.settle, self.settle,
             self.resume, self.resume, self.resume, self.recover, self.decide, self.retry, self.reread, self.pause)
        )  # fmt: skip
        happening()

    def claim(self) -> None:
        Runner.beat("me", self.now)
        Endpoint.objects.update(blocked_until=None)
        Call.objects.filter(state=Call.State.TODO).update(not_before=self.now)
        endpoint = self.rng.choice(self.endpoints)
        self.sent += ledger.claim("me", endpoint.pk, self.rng.randint(1, 4), now=self.now)

    def settle(self) -> None:
        """Results of some claims, old ones and doubled ones among them."""
        among = self.sent[-4:] if self.rng.random() < 0.8 else self.sent
        chosen = {call.pk: call for call in self.rng.sample(among, min(len(among), 3))}
        results = [Settlement(call.pk, call.attempt, self.result(call)) for call in chosen.values()]
        ledger.settle("me", results, now=self.now)
        reading.read_all()

    def result(self, call: Claimed) -> Reply | CallError:
        if self.rng.random() < 0.7:
            used = (call.request.prompt_tokens, self.rng.randint(1, 2000)) if self.rng.random() < 0.9 else (0, 0)
            task = call.request.messages[0]["content"].splitlines()[0]
            text = FITTING[task] if self.rng.random() < 0.6 else self.rng.choice(("Nonsense!", ""))
            return Reply(text, "stop", "m", *used, is_demo=False)
        return CallError(self.rng.choice(list(Trouble)), "no luck", self.rng.choice((None, 5.0)))

    def recover(self) -> None:
        ledger.recover(now=self.now)

    def decide(self) -> None:
        retrying.decide(self.run, resend=self.rng.random() < 0.7)

    def retry(self) -> None:
        retrying.retry(self.run)

    def reread(self) -> None:
        rereading.reread(self.run)

    def pause(self) -> None:
        lifecycle.pause(self.run)

    def resume(self) -> None:
        lifecycle.start(self.run)

    def check(self) -> None:
        run = Run.objects.with_stages().get(pk=self.run.pk)
        calls = run.calls.all()
        on_their_way = calls.filter(state=Call.State.SENT).aggregate(
            money=Sum("reserved", default=0), tokens=Sum("reserved_tokens", default=0)
        )
        assert run.spent == calls.aggregate(cost=Sum("cost", default=0))["cost"]
        assert run.reserved == on_their_way["money"]
        assert run.tokens_reserved == on_their_way["tokens"]
        assert run.spent + run.reserved <= BUDGET
        assert min(run.spent, run.reserved, run.tokens_spent, run.tokens_reserved) >= 0
        assert not calls.filter(cost__lt=0).exists()
        progress = progress_of(run)
        assert progress.failed == calls.failed().count()
        for stage in progress.stages:
            assert stage.ok + stage.failed <= stage.total


@pytest.mark.parametrize("seed", range(3))
def test_the_account_is_the_sum_of_the_calls_whatever_happens(seed: int) -> None:
    world = World(seed)
    for _ in range(STEPS):
        world.step()
        world.check()
    assert world.run.calls.filter(attempt__gt=1).exists()
    assert world.run.calls.filter(stage="pair", outcome="ok").exists()
