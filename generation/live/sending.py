"""Sending a live call: at once, whatever runs have left of the endpoint's rates. They pay back what it takes."""

from collections.abc import Callable

from generation.endpoints.answers import Reply
from generation.endpoints.client import Clients, target_of
from generation.endpoints.limits import Limiter, Rates
from generation.engine.capacity import most_tokens
from generation.engine.requests import Request
from generation.models import LiveCall


async def stream(clients: Clients, limiter: Limiter, call: LiveCall, take: Callable[[str], None]) -> Reply:
    """Send an opened call and hand its reply to `take` piece by piece; raises CallError and KeysMissingError."""
    client = clients.get(target_of(call.endpoint))
    key, rates = str(call.endpoint.pk), Rates.of(call.endpoint)
    tokens = most_tokens(Request(call.messages, call.parameters))
    if not rates.unlimited:
        await limiter.acquire(key, rates, 1, tokens, least=1)
    reply = await client.stream(call.messages, call.parameters, take)
    if not rates.unlimited:
        await limiter.give_back(key, rates, 0, tokens - reply.prompt_tokens - reply.completion_tokens)
    return reply
