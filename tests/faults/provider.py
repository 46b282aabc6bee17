"""Row 5: a provider that does everything wrong, and the name that each wrong has in the ledger."""

import asyncio
from dataclasses import dataclass

from generation.engine.runner import CallRunner, Plan
from generation.models import Call, Run
from tests.faults import engine
from tests.faults.misbehaviour import BURST_SECONDS, RETRY_AFTER
from tests.faults.site import Report, Site

DONE, FAILED, AMBIGUOUS, TODO = Call.State.DONE, Call.State.FAILED, Call.State.AMBIGUOUS, Call.State.TODO
FINISHED, PAUSED = Run.State.FINISHED, Run.State.PAUSED


@dataclass(frozen=True)
class Case:
    """A behaviour, the state and outcome that its (last) call must end in, its run's state, and the requests made."""

    behaviour: str
    state: str
    outcome: str
    run_state: str
    requests: int

    @property
    def wanted(self) -> str:
        return f"{self.state}/{self.outcome or '-'}, {self.run_state}, {self.requests}"


CASES = (
    Case("rate_told", DONE, "ok", FINISHED, 2),
    Case("rate_told_ms", DONE, "ok", FINISHED, 2),
    Case("rate_untold", DONE, "ok", FINISHED, 2),
    Case("quota", TODO, "", PAUSED, 1),
    Case("payment", TODO, "", PAUSED, 1),
    Case("unauthorized", TODO, "", PAUSED, 1),
    Case("forbidden", TODO, "", PAUSED, 1),
    Case("timeout_408", DONE, "ok", FINISHED, 2),
    Case("conflict_409", DONE, "ok", FINISHED, 2),
    Case("once_500", DONE, "ok", FINISHED, 2),
    Case("once_503", DONE, "ok", FINISHED, 2),
    Case("trouble_in_a_success", DONE, "ok", FINISHED, 2),
    Case("moderated", FAILED, "filtered", FINISHED, 1),
    Case("declined", FAILED, "refused", FINISHED, 1),
    Case("bad_request", FAILED, "rejected", FINISHED, 1),
    Case("not_found", FAILED, "rejected", FINISHED, 1),
    Case("redirect", FAILED, "rejected", FINISHED, 1),
    Case("huge", FAILED, "rejected", FINISHED, 1),
    Case("silent", AMBIGUOUS, "ambiguous", PAUSED, 1),
    Case("drip", AMBIGUOUS, "ambiguous", PAUSED, 1),
    Case("reset", AMBIGUOUS, "ambiguous", PAUSED, 1),
    Case("cut", AMBIGUOUS, "ambiguous", PAUSED, 1),
    Case("odd_line", AMBIGUOUS, "ambiguous", PAUSED, 1),
    # Answered, paid for and useless: asked to mend it twice, and then failed under its name.
    Case("truncated", FAILED, "truncated", FINISHED, 3),
    Case("filtered", FAILED, "filtered", FINISHED, 3),
    Case("empty_choices", FAILED, "empty", FINISHED, 3),
    Case("blank", FAILED, "empty", FINISHED, 3),
    Case("content_of_wrong_type", FAILED, "empty", FINISHED, 3),
    Case("choices_of_wrong_type", FAILED, "empty", FINISHED, 3),
    Case("not_json", FAILED, "unparsable", FINISHED, 3),
    Case("no_object", FAILED, "unparsable", FINISHED, 3),
    Case("deep_body", FAILED, "unparsable", FINISHED, 3),
    Case("bad_json", FAILED, "unparsable", FINISHED, 3),
    Case("fields_of_wrong_type", FAILED, "unparsable", FINISHED, 3),
)
STUBBORN = Case("always_500", FAILED, "provider", FINISHED, 5)
WAITS = {"rate_told": RETRY_AFTER, "rate_told_ms": RETRY_AFTER, "once_503": 1.0}
BURST = 8
AT_ONCE = 8  # endpoints


def row(site: Site) -> Report:
    cases = CASES if site.short else (*CASES, STUBBORN)
    report = Report(f"hostile provider: {len(cases)} misbehaviours, and Retry-After kept by two workers at once")
    runs = {case: _run(site, case) for case in cases}
    keys = [run.pk for run in runs.values()]
    for start in range(0, len(keys), AT_ONCE):
        asyncio.run(CallRunner(Plan(runs=tuple(keys[start : start + AT_ONCE]))).run())
    for case, run in runs.items():
        found = _found(site, case, run)
        report.promise(case.behaviour, found, f"= {case.wanted}", found == case.wanted)
    for behaviour, seconds in WAITS.items():
        first, second = site.model.count(behaviour)["arrivals"][:2]
        report.at_least(f"{behaviour}: seconds until asked again", round(second - first, 3), seconds)
    _burst(site, report)
    return report


def _run(site: Site, case: Case) -> Run:
    """One dialogue, one stage, one call at a time."""
    endpoint = {"max_in_flight": 1, "timeout_seconds": 2 if case.behaviour in {"silent", "drip"} else 20}
    return engine.started(
        site, case.behaviour, 1, behaviour=case.behaviour, endpoint=endpoint, stages=["theme"],
        ambiguous_policy=Run.AmbiguousPolicy.HOLD,
    )  # fmt: skip


def _found(site: Site, case: Case, run: Run) -> str:
    call = Call.objects.filter(run=run).order_by("-repair").first()
    assert call is not None
    requests = site.model.count(case.behaviour)["requests"]
    return f"{call.state}/{call.outcome or '-'}, {engine.state_of(run)}, {requests}"


def _burst(site: Site, report: Report) -> None:
    """Many calls on their way are told to come later at the same time; nobody may come earlier."""
    endpoint = {"max_in_flight": BURST, "timeout_seconds": 20}
    run = engine.started(site, "burst", 3 * BURST, behaviour="rate_burst", endpoint=endpoint, stages=["theme"])

    async def together() -> None:
        await asyncio.gather(*(CallRunner(Plan(runs=(run.pk,))).run() for _ in range(2)))

    asyncio.run(together())
    arrivals = site.model.count("burst")["arrivals"]
    told_at = arrivals[0] + BURST_SECONDS
    early = [at for at in arrivals if told_at < at < told_at + RETRY_AFTER]
    report.told("burst: calls told to come later", sum(at <= told_at for at in arrivals))
    report.exactly("burst: calls before Retry-After was over", len(early), 0)
    report.exactly("burst: answered in the end", engine.answered(run), 3 * BURST)
