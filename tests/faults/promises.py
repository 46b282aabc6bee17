"""Row 6: what the engine promises about money: one run of two starts, a budget kept, nothing paid again, a forecast
that comes true."""

import asyncio
import threading
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

from django.db import connections
from django.db.models import Sum

from generation.engine import lifecycle
from generation.engine.runner import CallRunner, Plan
from generation.models import Call, Run
from generation.plans import estimating
from tests.faults import engine
from tests.faults.site import Report, Site
from tests.generation.runs import draft, endpoint_at
from tests.waiting import until

STARTS = 8
PRICES = {"price_in": Decimal(1), "price_out": Decimal(4)}  # US dollars a million tokens
WITHIN = 0.10  # share by which an estimate may be off
ROWS_SEEN = 50  # answers a stage from which on an estimate must hold
IN_FLIGHT = 8


def row(site: Site) -> Report:
    report = Report(f"{STARTS} starts at once, budgets of money and of tokens, a finished run resumed, an estimate")
    _starts(site, report)
    _budget(site, report, "money", budget=Decimal("0.20"))
    _budget(site, report, "tokens", token_budget=120_000)
    _estimate(site, report)
    return report


def _starts(site: Site, report: Report) -> None:
    run = _draft(site, "starts", size=12)
    outcomes: list[bool] = []
    together = threading.Barrier(STARTS)

    def start() -> None:
        together.wait(30)
        try:
            outcomes.append(lifecycle.start(Run.objects.get(pk=run.pk)))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=start) for _ in range(STARTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    report.exactly(f"starts that counted, of {STARTS}", outcomes.count(True), 1)
    report.exactly("calls planned", Call.objects.filter(run=run).count(), 12)
    _work(run, runners=2)
    counted = site.model.count("starts")
    engine.report_outputs(report, run, 12)
    report.exactly("calls paid", counted["billed"], 36)
    lifecycle.start(run)
    _work(run)
    report.exactly("calls made by resuming the finished run", site.model.count("starts")["requests"] - 36, 0)


def _budget(site: Site, report: Report, name: str, **budget: Any) -> None:
    """Two runners on a run whose budget ends long before its dialogues do."""
    run = _draft(site, name, size=60, endpoint=PRICES, max_tokens=2000, **budget)
    lifecycle.start(run)
    _work(run, runners=2)
    run.refresh_from_db()
    counted = site.model.count(name)
    tokens = counted["prompt_tokens"] + counted["completion_tokens"]
    if "budget" in budget:
        paid = PRICES["price_in"] * counted["prompt_tokens"] + PRICES["price_out"] * counted["completion_tokens"]
        report.at_most("spent at the provider, US dollars", float(paid / 1_000_000), float(budget["budget"]))
        report.at_least("of the budget used", float(paid / 1_000_000 / budget["budget"]), 0.5)
    else:
        report.at_most("tokens used at the provider", tokens, budget["token_budget"])
        report.at_least("of the tokens used", tokens / budget["token_budget"], 0.5)
    report.exactly(f"a run out of {name}", f"{run.state}: {run.pause_cause}", "paused: budget")
    report.exactly("still reserved", float(run.reserved) + run.tokens_reserved, 0)


def _estimate(site: Site, report: Report) -> None:
    """After fifty answers of every stage, what the whole run will take; and then what it took."""
    size = 110 if site.short else 300
    run = _draft(site, "estimate", size, endpoint=PRICES, behaviour="sloppy-0.05")
    lifecycle.start(run)
    asyncio.run(_until_seen(run, ROWS_SEEN))
    lifecycle.pause(run)
    expected = estimating.estimate(Run.objects.with_stages().get(pk=run.pk))
    seen, repairs = engine.answered(run), Call.objects.filter(run=run, repair__gt=0).count()
    lifecycle.start(run)
    _work(run)
    tokens = Sum("prompt_tokens"), Sum("completion_tokens")
    took = Call.objects.filter(run=run).aggregate(prompt=tokens[0], completion=tokens[1], cost=Sum("cost"))
    report.told("answers seen before the estimate", seen)
    report.at_least("of them repairs", repairs, 1)
    for name, guess, real in (
        ("tokens read", sum(stage.prompt_tokens for stage in expected), took["prompt"]),
        ("tokens written", sum(stage.completion_tokens for stage in expected), took["completion"]),
        ("price", float(sum(stage.cost for stage in expected)), float(took["cost"])),
    ):
        report.at_most(f"estimate off by (share): {name}", round(abs(guess / real - 1), 4), WITHIN)


async def _until_seen(run: Run, rows: int) -> None:
    """Send until so many answers of every stage are there, then drain."""
    runner = CallRunner(Plan(runs=(run.pk,)))
    work = asyncio.create_task(runner.run())
    enough = partial(_apart, lambda: _seen(run) >= rows)
    await asyncio.to_thread(until, lambda: work.done() or enough(), "answers of every stage", 3600, 0.1)
    runner.stop()
    await work


def _seen(run: Run) -> int:
    answered = Call.objects.filter(run=run, outcome="ok")
    return min(answered.filter(stage=stage).count() for stage in run.stages)


def _apart(function: Callable[[], bool]) -> bool:
    """For a thread that will not come again."""
    try:
        return function()
    finally:
        connections.close_all()


def _draft(
    site: Site, tag: str, size: int, *, endpoint: Any = None, behaviour: str = "good-0.05", **choice: Any
) -> Run:
    fields = {"max_in_flight": IN_FLIGHT, "timeout_seconds": 20, **(endpoint or {})}
    row = endpoint_at(site.model.base_url(tag, behaviour), name=tag, **fields)
    return draft(engine.corpus_of(size, f"Corpus {tag}"), row, **choice)


def _work(run: Run, runners: int = 1) -> None:
    async def together() -> None:
        await asyncio.gather(*(CallRunner(Plan(runs=(run.pk,))).run() for _ in range(runners)))

    asyncio.run(together())
