"""What a run's endpoints are doing just now: calls in flight against the limit, and how often they said "later"."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from generation.models import Call, Endpoint, Run


@dataclass(frozen=True, slots=True)
class EndpointProgress:
    """One endpoint as one run meets it. `limit` is the calls allowed at once just now, over all runs and workers."""

    endpoint: Endpoint
    models: tuple[str, ...]
    in_flight: int
    refusals: int
    blocked: bool

    @property
    def limit(self) -> int:
        return self.endpoint.calls_at_once

    @property
    def words(self) -> str:
        """ "12 of 32 at once"; a limit that 429s have lowered says so."""
        most = self.endpoint.max_in_flight
        lowered = f", lowered from {most:,} by 429s" if self.limit < most else ""
        held = "; holding back until it allows more" if self.blocked else ""
        return f"{self.in_flight:,} of {self.limit:,} at once{lowered}{held}"

    def as_json(self) -> dict[str, Any]:
        return {
            "endpoint": self.endpoint.pk,
            "name": self.endpoint.name,
            "models": list(self.models),
            "in_flight": self.in_flight,
            "limit": self.limit,
            "max_in_flight": self.endpoint.max_in_flight,
            "refusals": self.refusals,
            "blocked": self.blocked,
            "words": self.words,
        }


def endpoints_of(run: Run, sums: Iterable[Mapping[str, Any]], now: datetime) -> list[EndpointProgress]:
    """One a row of the run's endpoints; `sums` are counts of calls by `run_stage` and `state`, with their refusals."""
    by_stage = {row.pk: row for row in run.run_stages.all()}
    in_flight: Counter[int] = Counter()
    refusals: Counter[int] = Counter()
    for counted in sums:
        row = by_stage[counted["run_stage"]]
        endpoint = row.endpoint_id
        refusals[endpoint] += counted["refusals"]
        # What is in a batch does not count against the calls at once.
        if counted["state"] == Call.State.SENT and not row.use_batch:
            in_flight[endpoint] += counted["n"]
    return [
        EndpointProgress(
            endpoint=endpoint,
            models=tuple(dict.fromkeys(row.model for row in by_stage.values() if row.endpoint_id == endpoint.pk)),
            in_flight=in_flight[endpoint.pk],
            refusals=refusals[endpoint.pk],
            blocked=endpoint.is_blocked(now),
        )
        for endpoint in run.endpoints
    ]
