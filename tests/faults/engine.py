"""All that the fault suite knows of the engine's tables: runs to break, and what became of their calls."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from django.db import DatabaseError, InterfaceError, connection, connections
from django.utils import timezone

from dialogues.formats import parlai
from dialogues.formats.reading import text_lines
from dialogues.formats.records import Record
from dialogues.models import Corpus, Dialogue
from generation.models import Background, Call, Endpoint, Run, Runner, Stage
from tests.faults.site import Report, Site
from tests.generation.runs import endpoint_at, small_corpus
from tests.generation.runs import started as started_run

T = TypeVar("T")
REAL_FILE = Path(__file__).resolve().parents[3] / "shared/data/personachat/valid_both_original_no_cands.txt"
VERSIONS = ("beta", "gamma", "stephanie")
OUTAGE = 60.0  # seconds that the harness itself waits for a database


def patiently(function: Callable[[], T]) -> T:
    """The harness's own questions, asked again while the database is away."""
    deadline = time.monotonic() + OUTAGE
    while True:
        try:
            return function()
        except (DatabaseError, InterfaceError):
            connections.close_all()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)  # between two tries


def corpus_of(size: int, name: str) -> Corpus:
    """`size` backgrounds, no two alike: real dialogues where they are beside the checkout, each met again with other
    people's traits once all have had their turn; made-up ones elsewhere."""
    if not REAL_FILE.is_file():
        return small_corpus(size, name)
    corpus = Corpus.objects.create(name=name)
    Dialogue.objects.bulk_create(_alphas(corpus, _real_records(), size), batch_size=500)
    return corpus


@cache
def _real_records() -> list[Record]:
    with REAL_FILE.open("rb") as stream:
        return [record for record in parlai.parse(text_lines(stream)) if isinstance(record, Record)]


def _alphas(corpus: Corpus, records: list[Record], size: int) -> Iterator[Dialogue]:
    for number in range(size):
        record, other = records[number % len(records)], records[(number + number // len(records)) % len(records)]
        yield Dialogue.from_transcript(
            record.transcript, corpus=corpus, key=f"d{number}", version_id="alpha", traits_1=list(record.traits_1),
            traits_2=list(other.traits_2),
        )  # fmt: skip


def started(site: Site, tag: str, size: int, *, behaviour: str = "good", **choice: Any) -> Run:
    """A run of `size` dialogues that the workers may take up, at the counting server under its tag."""
    fields = choice.pop("endpoint", {})
    endpoint = endpoint_at(site.model.base_url(tag, behaviour), name=f"{tag} {behaviour}", **fields)
    return started_run(corpus_of(size, f"Corpus {tag}"), endpoint, **choice)


def own_backend() -> int:
    """The number of the database process that answers this thread."""
    connection.ensure_connection()
    pid: int = connection.connection.info.backend_pid
    return pid


def endpoint_of(run: Run) -> Endpoint:
    """The one endpoint that all stages of the suite's runs have."""
    return run.endpoints[0]


def calls_in(run: Run, *states: str) -> int:
    return patiently(lambda: Call.objects.filter(run=run.pk, state__in=states).count())


def answered(run: Run) -> int:
    return calls_in(run, Call.State.DONE)


def state_of(run: Run) -> str:
    return patiently(lambda: str(Run.objects.get(pk=run.pk).state))


def finished(run: Run) -> bool:
    return state_of(run) == Run.State.FINISHED


def busy_pids(run: Run) -> Counter[int]:
    """Calls on their way by the process that sent them."""
    rows = Call.objects.filter(run=run.pk, state=Call.State.SENT).values_list("owner", flat=True)
    return Counter(pid_of(owner) for owner in patiently(lambda: list(rows)))


def pid_of(owner: str) -> int:
    return int(owner.split(":")[-2])


def expire_leases(run: Run, pids: set[int]) -> None:
    """Let the time pass that dead processes' leases have left; for short forms, which cannot wait for it."""
    now = timezone.now()
    for call in Call.objects.filter(run=run.pk, state=Call.State.SENT):
        if pid_of(call.owner) in pids:
            Call.objects.filter(pk=call.pk, state=Call.State.SENT).update(lease_until=now)
    for runner in Runner.objects.all():
        if pid_of(runner.owner) in pids:
            Runner.objects.filter(pk=runner.pk).update(seen_at=now - timedelta(minutes=1))


def next_sent(run: Run, after: float) -> float:
    """When the first call after a moment was sent, both in seconds since the epoch; the moment where none was."""
    moment = datetime.fromtimestamp(after, UTC)
    call = Call.objects.filter(run=run, sent_at__gt=moment).order_by("sent_at").first()
    return call.sent_at.timestamp() if call and call.sent_at else after


def report_outputs(report: Report, run: Run, size: int) -> None:
    """Every version of every dialogue, once."""
    written = Dialogue.objects.filter(output__call__run=run)
    counts = Counter(written.values_list("version_id", flat=True))
    for version in VERSIONS:
        report.exactly(f"{version} written", counts[version], size)
    report.exactly("duplicates", written.count() - written.values("origin", "version").distinct().count(), 0)
    report.exactly("half-written", half_written(run), 0)


def half_written(run: Run) -> int:
    """Calls whose reply is kept but of whose consequences some are missing: they are written together or not at all."""
    calls = Call.objects.filter(run=run, state=Call.State.DONE, outcome="ok").prefetch_related("outputs")
    planned = set(Call.objects.filter(run=run).values_list("stage", "alpha_id"))
    backgrounds = set(Background.objects.filter(run=run).values_list("call_id", flat=True))
    made = {Stage.THEME: set(), Stage.PAIR: {"beta", "gamma"}, Stage.FURTHER_SPLIT: {"stephanie"}}
    wrong = 0
    for call in calls.iterator(chunk_size=2000):
        stage = Stage(call.stage)
        following = run.stages[run.stages.index(stage) + 1 :][:1]
        whole = (
            {output.version_id for output in call.outputs.all()} == made[stage]
            and (stage != Stage.THEME or call.pk in backgrounds)
            and all((name, call.alpha_id) in planned for name in following)
        )
        wrong += not whole
    return wrong + Call.objects.filter(run=run, state=Call.State.DONE, outcome="").count()
