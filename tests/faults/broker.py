"""Row 3: the broker's connections broken, the broker killed with all it held, and the broker emptied, in one run."""

import time
from dataclasses import replace

from tests.faults import engine
from tests.faults.processes import working_crew
from tests.faults.proxy import Proxy, running_proxy
from tests.faults.servers import PrivateRedis
from tests.faults.site import Report, Site
from tests.waiting import until

RESUMES_WITHIN = 30.0  # seconds
PATIENCE = 300
DOWN = 1.5  # seconds that a killed broker stays away


class _BehindProxy(PrivateRedis):
    """The same server as workers reach it; its life is in other hands."""

    def __init__(self, proxy: Proxy) -> None:
        self.port = proxy.port


def row(site: Site) -> Report:
    """12 cuts, 8 restarts and a FLUSHALL.

    Runners end every few seconds here, so that the run depends on the very messages that are lost, and the endpoint has
    limits a minute, so that the counts of those are lost too.
    """
    cuts, restarts, size = (2, 1, 10) if site.short else (12, 8, 200)
    report = Report(f"broker: {cuts} connection kills, {restarts} restarts without persistence, one FLUSHALL in a run")
    with running_proxy(site.redis.port) as proxy:
        _broken_run(replace(site, redis=_BehindProxy(proxy)), site.redis, proxy, report, size, order(cuts, restarts))
    return report


def order(cuts: int, restarts: int) -> list[str]:
    """The faults, mixed, with the emptying in the middle."""
    total = cuts + restarts
    mixed = [
        "restart" if (index + 1) * restarts // total > index * restarts // total else "cut" for index in range(total)
    ]
    return [*mixed[: total // 2], "flush", *mixed[total // 2 :]]


def _broken_run(site: Site, server: PrivateRedis, proxy: Proxy, report: Report, size: int, faults: list[str]) -> None:
    limits = {"requests_per_minute": 60_000, "tokens_per_minute": 600_000_000}
    fields = {"max_in_flight": 4, "timeout_seconds": 20, **limits}
    run = engine.started(site, "broker", size, behaviour="good-0.5", endpoint=fields)
    lost, over = 0, []
    hurried = {"FAULTS_RUNNER_SECONDS": "3", "FAULTS_SWEEP_SECONDS": "5" if site.short else "15"}
    with working_crew(site, app="tests.faults.worker_app", **hurried):
        for number, fault in enumerate(faults):
            wanted = round((number + 1) / (len(faults) + 1) * 3 * size * 0.9)
            until(lambda wanted=wanted: engine.answered(run) >= wanted, f"{wanted} answers", PATIENCE)  # type: ignore[misc]
            lost += _break(fault, server, proxy)
            over.append(time.time())
            site.say(f"fault {number + 1} of {len(faults)} ({fault}): {engine.answered(run)} answered")
        until(lambda: engine.finished(run), "the run finishes unattended", PATIENCE)
    counted = site.model.count("broker")
    resumed = [engine.next_sent(run, moment) - moment for moment in over]
    report.told("faults", len(faults))
    report.told("connections lost", lost)
    engine.report_outputs(report, run, size)
    report.exactly("calls paid", counted["billed"], 3 * size)
    report.at_most("longest until calls went out again, s", max(resumed), RESUMES_WITHIN)


def _break(fault: str, server: PrivateRedis, proxy: Proxy) -> int:
    """Returns how many connections broke."""
    if fault == "flush":
        server.flush()
        return 0
    if fault == "cut":
        return proxy.reset_all()
    lost = proxy.open_connections
    server.kill()
    time.sleep(DOWN)  # the outage itself
    server.start()
    return lost
