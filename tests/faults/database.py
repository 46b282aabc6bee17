"""Row 4: the database's connections ended and the database itself crashed, in one run."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import psycopg
from django.db import Error as DatabaseTrouble
from django.db import connections

from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent, Corpus
from generation.models import Endpoint, Run
from tests.faults import engine
from tests.faults.processes import working_crew
from tests.faults.site import Report, Site
from tests.generation.runs import draft
from tests.waiting import until

PATIENCE = 300
FEW = 10  # dialogues of each of the witness's runs
ENDED = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND pid NOT IN (pg_backend_pid(), %s)
"""


@dataclass
class Witness:
    """Writes to the database without a pause, many rows in one transaction, and remembers what it was told."""

    corpus: Corpus
    endpoint: Endpoint
    acknowledged: list[int] = field(default_factory=list)  # seeds, by which the runs are found again
    refused: list[int] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def write(self) -> None:
        seed = 1000
        while not self.over.wait(0.05):
            seed += 1
            try:
                draft(self.corpus, self.endpoint, sample=FEW, seed=seed)
            except DatabaseTrouble:
                self.refused.append(seed)
                connections.close_all()
            else:
                self.acknowledged.append(seed)
        connections.close_all()

    def report(self, report: Report) -> None:
        report.told("writes acknowledged", len(self.acknowledged))
        report.at_least("writes that met a fault", len(self.refused), 1)
        report.exactly("acknowledged writes that are missing", sum(not _whole(seed) for seed in self.acknowledged), 0)
        # Refused means not known: such a write is there as a whole or not at all.
        torn = [seed for seed in self.refused if Run.objects.filter(seed=seed).exists() and not _whole(seed)]
        report.exactly("writes that are there in part", len(torn), 0)


def _whole(seed: int) -> bool:
    runs = list(Run.objects.filter(seed=seed))
    return (
        len(runs) == 1
        and runs[0].chosen.count() == FEW
        and AuditEvent.objects.filter(verb=AuditVerb.RUN_CREATED, subject=f"run:{runs[0].pk}").count() == 1
    )


def row(site: Site) -> Report:
    """50 ended connections and 3 crashes; a shared database is not crashed."""
    ends, crashes, size = (8, 0, 24) if site.short else (50, 3, 300)
    crashes = crashes if site.postgres else 0
    report = Report(f"database: {ends} terminated backends and {crashes} restarts in a run")
    fields = {"max_in_flight": 8 if site.short else 16, "timeout_seconds": 20}
    run = engine.started(site, "database", size, behaviour="good-0.3", endpoint=fields)
    witness = Witness(run.corpus, engine.endpoint_of(run))
    thread = threading.Thread(target=witness.write)
    hurried = {"app": "tests.faults.worker_app", "FAULTS_SWEEP_SECONDS": "2"} if site.short else {}
    with working_crew(site, **hurried):
        thread.start()
        try:
            # Two connections or three end at a time, spread over the run.
            ended, crashed = _break(site, run, ends, crashes, step=3 * size * 3 // (2 * ends))
        finally:
            witness.over.set()
            thread.join(PATIENCE)
        until(lambda: engine.finished(run), "the run finishes unattended", PATIENCE)
    counted = site.model.count("database")
    report.at_least("backends terminated", ended, ends)
    report.exactly("restarts without a checkpoint", crashed, crashes)
    engine.report_outputs(report, run, size)
    report.exactly("answers paid for and lost", counted["billed"] - engine.answered(run), 0)
    report.exactly("calls paid twice", counted["billed_again"], 0)
    witness.report(report)
    return report


def _break(site: Site, run: Run, ends: int, crashes: int, *, step: int) -> tuple[int, int]:
    """End connections every `step` answers, with a crash now and then; returns how many of each there were."""
    ended = crashed = 0
    until(lambda: engine.answered(run) > 0, "the first answer", PATIENCE)
    while ended < ends and not engine.finished(run):
        before = engine.answered(run)
        ended += terminate(site.database_url)
        if site.postgres and crashed < crashes and ended >= (crashed + 1) * ends / (crashes + 1):
            site.postgres.crash()
            site.postgres.start()
            crashed += 1
            site.say(f"restart {crashed}")
        site.say(f"{ended} backends ended, {before} answered")
        until(_more_than(run, before + step), f"more than {before + step} answers", PATIENCE)
    return ended, crashed


def _more_than(run: Run, answers: int) -> Callable[[], bool]:
    return lambda: engine.answered(run) > answers or engine.finished(run)


def terminate(url: str) -> int:
    """End every connection but the two that watch."""
    own = engine.own_backend()
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(ENDED, [own]).fetchone()
    return int(row[0]) if row else 0
