"""What a run's endpoints are doing now: calls in flight against the limit, and rate limits reached."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from generation.models import Call, Endpoint, Run


@dataclass(frozen=True, slots=True)
class EndpointProgress:
    """One endpoint's calls of one run. `limit` is how many may be in flight now, over all runs and workers.

    `in_flight` are on the wire; `to_store` are answered but not in the ledger yet.
    """

    endpoint: Endpoint
    models: tuple[str, ...]
    in_flight: int
    refusals: int
    blocked: bool
    to_store: int = 0

    @property
    def limit(self) -> int:
        return self.endpoint.calls_at_once

    @property
    def words(self) -> str:
        """ "12 of 32 at once", with a lowered limit and answers waiting to be stored, if any."""
        most = self.endpoint.max_in_flight
        lowered = f", lowered from {most:,} by rate limits" if self.limit < most else ""
        held = "; holding back until it allows more" if self.blocked else ""
        answers = f"{self.to_store:,} answer{'s' if self.to_store != 1 else ''}"
        stored = f", {answers} waiting to be stored" if self.to_store else ""
        return f"{self.in_flight:,} of {self.limit:,} at once{lowered}{stored}{held}"

    def as_json(self) -> dict[str, Any]:
        return {
            "endpoint": self.endpoint.pk,
            "name": self.endpoint.name,
            "models": list(self.models),
            "in_flight": self.in_flight,
            "to_store": self.to_store,
            "limit": self.limit,
            "max_in_flight": self.endpoint.max_in_flight,
            "refusals": self.refusals,
            "blocked": self.blocked,
            "words": self.words,
        }


Reports = Sequence[Mapping[str, Mapping[str, Sequence[int]]]]


def endpoints_of(
    run: Run, sums: Iterable[Mapping[str, Any]], now: datetime, reports: Reports = ()
) -> list[EndpointProgress]:
    """One for each of the run's endpoints; `sums` are counts of calls by `run_stage` and `state`, with their refusals.

    `reports` is what live runners report about their calls (`Runner.calls`).
    """
    by_stage = {row.pk: row for row in run.run_stages.all()}
    sent: Counter[int] = Counter()
    refusals: Counter[int] = Counter()
    for counted in sums:
        row = by_stage[counted["run_stage"]]
        endpoint = row.endpoint_id
        refusals[endpoint] += counted["refusals"]
        # Calls in a batch do not count against the limit.
        if counted["state"] == Call.State.SENT and not row.use_batch:
            sent[endpoint] += counted["n"]
    on_the_way = {endpoint.pk: _split(sent[endpoint.pk], run, endpoint, reports) for endpoint in run.endpoints}
    return [
        EndpointProgress(
            endpoint=endpoint,
            models=tuple(dict.fromkeys(row.model for row in by_stage.values() if row.endpoint_id == endpoint.pk)),
            in_flight=on_the_way[endpoint.pk][0],
            to_store=on_the_way[endpoint.pk][1],
            refusals=refusals[endpoint.pk],
            blocked=endpoint.is_blocked(now),
        )
        for endpoint in run.endpoints
    ]


def _split(sent: int, run: Run, endpoint: Endpoint, reports: Reports) -> tuple[int, int]:
    """Split the calls that the ledger has as sent: (on the wire, answered). Without reports, all are on the wire.

    A call's place is free as soon as its answer is there, and the answer is stored a moment later. So the ledger may
    have more calls as sent than may be in flight.
    """
    told = [report.get(str(endpoint.pk), {}).get(str(run.pk)) for report in reports]
    counts = [pair for pair in told if pair]
    if not counts:
        return sent, 0
    wire = min(sent, sum(pair[0] for pair in counts))
    return wire, min(sent - wire, sum(pair[1] for pair in counts))
