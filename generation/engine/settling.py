"""How the result of a call changes its row, its run and its endpoint.

No queries here: `apply` and `make_ambiguous` change the row in memory and note in `Effects` what else follows,
so that the ledger can take its locks in one order: endpoints, then runs, then calls.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from textwrap import shorten

from generation.endpoints.client import CallError, Reply, Trouble
from generation.engine.requests import cost
from generation.models import Call, Endpoint, Run

MOST_TRIES = 5
FIRST_BACKOFF, LONGEST_BACKOFF = 2.0, 120.0  # seconds
UNTOLD_RETRY_AFTER = 5.0  # seconds, after a 429 that does not say how long
NOTHING = Decimal(0)

SETTLED_FIELDS = (
    "state", "owner", "lease_until", "not_before", "attempt", "tries", "refusals", "settled_at", "raw_reply",
    "raw_body", "finish_reason", "reply_model", "is_demo", "prompt_tokens", "completion_tokens", "cost", "reserved",
    "reserved_tokens", "outcome", "error",
)  # fmt: skip

FORBIDDEN = 403
WORDS_IN_REASON = 120  # letters of the provider's words in a run's reason
_CHECK_IT = "Check the endpoint"
_QUOTA = "{} says that the account has no quota left ({}). Top it up, then resume."
_NO_KEY = "{} does not accept the API key ({}). Correct the key, then resume."
_NOT_ALLOWED = "{} forbids the call ({}). Check which models and uses this API key allows, then resume."


@dataclass(slots=True)
class Booking:
    """Changes of what a run has spent and reserved."""

    spent: Decimal = NOTHING
    freed: Decimal = NOTHING
    tokens_spent: int = 0
    tokens_freed: int = 0


@dataclass(slots=True)
class Effects:
    """What several results change beyond the calls themselves, by primary key."""

    bookings: dict[int, Booking] = field(default_factory=lambda: defaultdict(Booking))
    blocks: dict[Endpoint, datetime] = field(default_factory=dict)  # until when
    refused: dict[Endpoint, datetime] = field(default_factory=dict)  # when the last refused call was sent
    pauses: dict[int, tuple[str, str]] = field(default_factory=dict)  # run → (words, cause)

    def free(self, call: Call) -> Booking:
        """Give back what a sent call had reserved; the caller then clears the call's own fields."""
        booking = self.bookings[call.run_id]
        booking.freed += call.reserved
        booking.tokens_freed += call.reserved_tokens
        return booking

    def refuse(self, endpoint: Endpoint, sent_at: datetime, until: datetime) -> None:
        """After a 429: hold every worker back, and lower the endpoint's limit."""
        self.blocks[endpoint] = max(until, self.blocks.get(endpoint, until))
        self.refused[endpoint] = max(sent_at, self.refused.get(endpoint, sent_at))


def apply(call: Call, result: Reply | CallError, now: datetime, effects: Effects) -> None:
    """Settle a sent call, or one whose answer comes late; load calls with `requests.with_stages`."""
    if isinstance(result, Reply):
        _store_reply(call, result, now, effects)
    elif result.trouble is not Trouble.AMBIGUOUS:
        call.error = result.message
        _release(call, effects)
        _not_paid(call, result, now, effects)
    elif call.state != Call.State.AMBIGUOUS:
        make_ambiguous(call, result.message, now, effects)


def make_ambiguous(call: Call, why: str, now: datetime, effects: Effects) -> None:
    """Book the worst case as spent, because the call may have been paid for; a late answer corrects the amount."""
    booking = effects.free(call)
    booking.spent += call.reserved
    booking.tokens_spent += call.reserved_tokens
    call.cost += call.reserved
    call.state, call.lease_until, call.settled_at = Call.State.AMBIGUOUS, None, now
    call.outcome, call.error = Trouble.AMBIGUOUS, why
    if call.run.ambiguous_policy == Run.AmbiguousPolicy.RESEND:
        if call.tries >= MOST_TRIES:
            _fail(call, Trouble.AMBIGUOUS, now)
        else:
            _wait(call, now + backoff(call))
            call.outcome = ""


def backoff(call: Call) -> timedelta:
    """A pause that doubles with every try, randomised to between half and all of it; fixed for a call and attempt."""
    step = min(FIRST_BACKOFF * 2 ** (max(1, call.tries) - 1), LONGEST_BACKOFF)
    jitter = Random(f"{call.pk}/{call.attempt}").uniform(0.5, 1)  # noqa: S311 - spreads load, guards nothing
    return timedelta(seconds=step * jitter)


def _store_reply(call: Call, reply: Reply, now: datetime, effects: Effects) -> None:
    """Store an answer and replace the worst case with what was really used; the cost of earlier attempts stays.

    The worst case stays if the endpoint does not report usage.
    """
    told = bool(reply.prompt_tokens or reply.completion_tokens)
    price = cost(call.run_stage, reply.prompt_tokens, reply.completion_tokens) if told else call.reserved
    tokens = reply.prompt_tokens + reply.completion_tokens if told else call.reserved_tokens
    booking = effects.bookings[call.run_id]
    if call.state == Call.State.AMBIGUOUS:
        price, tokens = price - call.reserved, tokens - call.reserved_tokens
    else:
        effects.free(call)
    booking.spent += price
    booking.tokens_spent += tokens
    call.cost += price
    call.reserved, call.reserved_tokens = NOTHING, 0
    call.state, call.settled_at, call.lease_until = Call.State.DONE, now, None
    call.raw_reply, call.raw_body = reply.text, reply.body
    call.finish_reason, call.reply_model = reply.finish_reason, reply.model
    call.is_demo, call.outcome, call.error = reply.is_demo, "", ""
    call.prompt_tokens, call.completion_tokens = reply.prompt_tokens, reply.completion_tokens


def _release(call: Call, effects: Effects) -> None:
    """Give back what was reserved, or take back what was booked in doubt, because nothing was paid."""
    if call.state == Call.State.AMBIGUOUS:
        booking = effects.bookings[call.run_id]
        booking.spent -= call.reserved
        booking.tokens_spent -= call.reserved_tokens
        call.cost -= call.reserved
    else:
        effects.free(call)
    call.reserved, call.reserved_tokens = NOTHING, 0


def _not_paid(call: Call, error: CallError, now: datetime, effects: Effects) -> None:
    if error.trouble in (Trouble.REJECTED, Trouble.FILTERED):
        _fail(call, error.trouble, now)
    elif error.trouble is Trouble.PROVIDER:
        _try_again_later(call, error, now)
    else:
        _not_a_try(call, error, now, effects)


def _try_again_later(call: Call, error: CallError, now: datetime) -> None:
    if call.tries >= MOST_TRIES:
        _fail(call, Trouble.PROVIDER, now)
    else:
        _wait(call, now + max(backoff(call), timedelta(seconds=error.retry_after or 0)))


def _not_a_try(call: Call, error: CallError, now: datetime, effects: Effects) -> None:
    """The endpoint did not take the call now: nothing was paid, and it does not count as a try."""
    call.tries -= 1
    if error.trouble is Trouble.RATE_LIMITED:
        call.refusals += 1
        wait = UNTOLD_RETRY_AFTER if error.retry_after is None else error.retry_after
        _wait(call, now + timedelta(seconds=wait))
        effects.refuse(call.run_stage.endpoint, call.sent_at or now, call.not_before)
    else:
        _wait(call, now)
        effects.pauses[call.run_id] = pause_for(error, call.run_stage.endpoint)


def mostly_failed(words: str, latest: Reply | CallError | None) -> str:
    """The reason to show when a run pauses because most calls fail: `words`, the latest error, and what to do."""
    if not isinstance(latest, CallError):
        return f"{words}. {_CHECK_IT}, then resume."
    refused = latest.trouble is Trouble.REJECTED
    advice = "It refuses the requests themselves: check the model's name and the settings" if refused else _CHECK_IT
    return f"{words} ({_short(latest)}). {advice}, then resume."


def pause_for(error: CallError, endpoint: Endpoint) -> tuple[str, str]:
    """The reason (with what to do) and the cause when a run pauses because its account or key is refused."""
    if error.trouble is Trouble.QUOTA:
        return _QUOTA.format(endpoint, _short(error)), Run.PauseCause.QUOTA
    words = _NOT_ALLOWED if error.status == FORBIDDEN else _NO_KEY
    return words.format(endpoint, _short(error)), Run.PauseCause.AUTH


def _short(error: CallError) -> str:
    """The provider's words, cut so that what to do still fits after them."""
    return shorten(error.message, WORDS_IN_REASON, placeholder="…")


def _wait(call: Call, until: datetime) -> None:
    call.state, call.owner, call.lease_until, call.not_before = Call.State.TODO, "", None, until
    call.reserved, call.reserved_tokens = NOTHING, 0


def _fail(call: Call, outcome: str, now: datetime) -> None:
    call.state, call.owner, call.lease_until, call.settled_at = Call.State.FAILED, "", None, now
    call.outcome, call.reserved, call.reserved_tokens = outcome, NOTHING, 0
