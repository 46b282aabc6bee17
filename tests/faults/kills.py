"""Row 1: worker groups and pool processes killed with SIGKILL in the middle of a run."""

from random import Random

from generation.models import Run
from tests.faults import engine
from tests.faults.processes import Crew, working_crew
from tests.faults.site import Report, Site
from tests.waiting import until

STAGES = 3
PATIENCE = 300  # seconds for the next kill's moment, and for the end: leases of a minute run out in between


def row(site: Site) -> Report:
    """500 dialogues, 20 kills of groups and 20 of children."""
    size, kills = (12, 1) if site.short else (500, 20)
    report = Report(f"{kills} SIGKILLs of worker groups and {kills} of children, {size} dialogues × {STAGES} stages")
    _killed_run(site, report, "kills", size, ["group", "child"] * kills, latency=0.2)
    return report


def crash_run(site: Site, size: int, kills: int) -> Report:
    """As many dialogues as the paper's, through the demo model's rules, with kills on the way."""
    report = Report(f"{size:,} backgrounds × {STAGES} stages with {kills} SIGKILLs")
    _killed_run(site, report, "crash-run", size, ["group", "child"] * (kills // 2) + ["group"] * (kills % 2), latency=0)
    return report


def _killed_run(site: Site, report: Report, tag: str, size: int, kills: list[str], latency: float) -> None:
    fields = {"max_in_flight": 8 if site.short else 32, "timeout_seconds": 5}
    run = engine.started(site, tag, size, behaviour=f"good-{latency:g}", endpoint=fields)
    in_flight = 0
    hurried = {"app": "tests.faults.worker_app", "FAULTS_SWEEP_SECONDS": "1"} if site.short else {}
    with working_crew(site, 1 if site.short else 2, **hurried) as crew:
        for number, kind in enumerate(kills):
            share = (number + 1) / (len(kills) + 1)
            lost = _kill(site, crew, run, kind, after=round(share * STAGES * size * 0.9))
            in_flight += lost
            site.say(f"kill {number + 1} of {len(kills)} ({kind}): {lost} in flight, {engine.answered(run)} answered")
        until(lambda: engine.finished(run), "the run finishes", PATIENCE)
    counted = site.model.count(tag)
    report.told("SIGKILLs", len(kills))
    report.told("calls in flight at the kills", in_flight)
    engine.report_outputs(report, run, size)
    report.at_most("calls paid", counted["billed"], STAGES * size + in_flight)
    report.at_most("calls paid twice", counted["billed_again"], in_flight)


def _kill(site: Site, crew: Crew, run: Run, kind: str, after: int) -> int:
    """Kill a process that has calls on their way, once enough are answered; returns how many it had."""
    found: list[int] = []

    def at_work() -> bool:
        alive = {pid for group in crew.groups for pid in group.children}
        found[:] = [pid for pid in engine.busy_pids(run) if pid in alive]
        return bool(found) and engine.answered(run) >= after

    until(at_work, f"{after} answers and a worker with calls on their way", PATIENCE)
    busy = Random(after).choice(sorted(found))
    dead = crew.kill_group(busy) if kind == "group" else crew.kill_child(busy)
    lost = sum(count for pid, count in engine.busy_pids(run).items() if pid in dead)
    if site.short:
        engine.expire_leases(run, dead)
    return lost
