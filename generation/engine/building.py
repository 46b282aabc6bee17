"""Requests for waiting calls, and what becomes of a run where one cannot be made."""

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from generation.engine.requests import Request, build, with_stages
from generation.models import Call, Run
from generation.prompts import PromptError

log = logging.getLogger(__name__)

# Wrong data or a wrong program: no further try mends it, as it may after an error of a database or a server.
PERMANENT = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError)


class UnbuildableError(Exception):
    """No request can be made of a waiting call; `reasons` say why, by run."""

    def __init__(self, reasons: Mapping[int, str]) -> None:
        super().__init__(" ".join(reasons.values()))
        self.reasons = reasons

    def pause_runs(self) -> None:
        """After the claim's transaction: that has locked calls, and runs are locked before calls."""
        for run_pk, reason in self.reasons.items():
            Run(pk=run_pk).pause(reason, Run.PauseCause.REQUEST)


def built(calls: Sequence[Call]) -> list[tuple[Call, Request]]:
    """Each call with its request; raises UnbuildableError, which names only the runs that cannot go on."""
    complete = with_stages(calls)
    try:
        return list(zip(complete, build(complete), strict=True))
    except PERMANENT:
        reasons = dict(_reasons(complete))
        if not reasons:
            raise
        raise UnbuildableError(reasons) from None


def _reasons(calls: Sequence[Call]) -> Iterator[tuple[int, str]]:
    by_run: dict[int, list[Call]] = defaultdict(list)
    for call in calls:
        by_run[call.run_id].append(call)
    for run_pk, of_run in by_run.items():
        try:
            build(of_run)
        except PERMANENT as error:
            log.warning("No request can be made of run %d", run_pk, exc_info=True)
            words = str(error) if isinstance(error, PromptError) else f"{type(error).__name__}: {error}"
            yield run_pk, f"A call cannot be sent: {words}. Try it again with another prompt or other examples."
