"""What a runner does with the ledger, one step at a time, for tests that look between the steps."""

from django.utils import timezone

from generation.endpoints.client import CallError, Reply, Trouble
from generation.engine import ledger
from generation.engine.ledger import Claimed, Settlement
from generation.models import Call, Endpoint, Runner

THEME = " ".join(["word"] * 60)
THEME_REPLY = f'{{"theme": "{THEME}"}}'
PAIR_REPLY = (
    '{"single_step": [[1,"a b"],[2,"c"],[1,"d"],[2,"e"]], "step_by_step": [[1,"a"],[1,"b"],[2,"c"],[1,"d"],[2,"e"]]}'
)


def claim(endpoint: Endpoint, most: int = 10, owner: str = "me") -> list[Claimed]:
    Runner.beat(owner, timezone.now())
    return ledger.claim(owner, endpoint.pk, most)


def answer(call: Claimed, text: str, owner: str = "me") -> list[int]:
    reply = Reply(text, "stop", "some-model", 1000, 100, is_demo=False)
    return ledger.settle(owner, [Settlement(call.pk, call.attempt, reply)])


def trouble(call: Claimed, kind: Trouble, retry_after: float | None = None) -> Call:
    ledger.settle("me", [Settlement(call.pk, call.attempt, CallError(kind, "no luck", retry_after))])
    return Call.objects.get(pk=call.pk)
