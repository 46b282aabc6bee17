"""Check an endpoint with a few real requests.

Does it answer, does it keep to a schema, does it offer batches, and does it say when its model will be gone?
"""

import asyncio
from collections.abc import Sequence
from time import monotonic
from typing import Any, NamedTuple

from django.db import transaction
from django.utils import timezone

from core.dates import day_in_words
from generation.endpoints import shutdowns, structured
from generation.endpoints.addresses import base_of
from generation.endpoints.answers import MALFORMED
from generation.endpoints.client import CallError, Client, Reply, Target, Trouble, target_of
from generation.endpoints.keys import KeysMissingError
from generation.endpoints.offers import Offer
from generation.endpoints.structured import Form
from generation.models import Endpoint
from generation.prompts import ChatMessage

# Room for a model that thinks before it answers.
PROBE_TOKENS = 1024
QUESTION: list[ChatMessage] = [{"role": "user", "content": "Please answer with the one word: ready"}]
ANSWER_TOKENS = 16
NAMES_SHOWN = 5
_FOUND_FIELDS = [
    "checked_at", "check_result", "check_passed", "is_demo", "length_parameter", "structured_output", "supports_batch",
]  # fmt: skip


class _Found(NamedTuple):
    answered: bool
    words: str
    offers: Sequence[Offer] = ()


def check(endpoint: Endpoint) -> bool:
    """Ask the endpoint's model for one word and store the outcome; True if it answered.

    An address that ends in an operation, or has empty parts, is stored as the base address that it stands for.
    """
    given, endpoint.base_url = endpoint.base_url, base_of(endpoint.base_url)
    try:
        found = asyncio.run(_ask(endpoint, target_of(endpoint)))
    except KeysMissingError as error:
        found = _Found(False, str(error))
    moved = endpoint.base_url != given
    words = f"The address is stored as {endpoint.base_url} now. {found.words}" if moved else found.words
    endpoint.checked_at, endpoint.check_result, endpoint.check_passed = timezone.now(), words[:500], found.answered
    with transaction.atomic():
        endpoint.save(update_fields=[*_FOUND_FIELDS, *(["base_url"] if moved else [])])
        shutdowns.keep(endpoint, found.offers)
    return found.answered


async def _ask(endpoint: Endpoint, target: Target) -> _Found:
    try:
        client = Client(target)
    except CallError as error:
        return _Found(False, error.message)
    try:
        started = monotonic()
        reply = await _first_answer(client, endpoint)
        seconds = monotonic() - started
        able = await _abilities(client, endpoint) if _is_chat(reply) else ""
        offers = await _offers(client)
    except CallError as error:
        return _Found(False, error.message + await _offered_instead(client, endpoint, error))
    finally:
        await client.close()
    if not _is_chat(reply):
        return _Found(False, f"Something answered, but not as a chat model does: {reply.text[:200]}")
    endpoint.is_demo = reply.is_demo
    words = f"Answered as {reply.model or 'an unnamed model'} in {seconds:.1f} s.{able}{_gone(endpoint, offers)}"
    return _Found(True, words, offers)


async def _offers(client: Client) -> Sequence[Offer]:
    """Its list of models; nothing where it has none, as a model can well be used without."""
    try:
        return await client.offers()
    except CallError:
        return ()


def _gone(endpoint: Endpoint, offers: Sequence[Offer]) -> str:
    day = dict(offers).get(endpoint.model)
    return f" The model will be shut down on {day_in_words(day)}." if day else ""


def _is_chat(reply: Reply) -> bool:
    return reply.finish_reason not in (MALFORMED, "no_choices")


async def _abilities(client: Client, endpoint: Endpoint) -> str:
    """Find out what else the endpoint can do, and say it; what cannot be found out stays as it was."""
    try:
        endpoint.structured_output = await structured_form(client, endpoint.model, endpoint.length_parameter)
        endpoint.supports_batch = await offers_batches(client)
    except CallError as error:
        return f" What else it can do could not be found out: {error.message}"
    schema = "keeps to a JSON schema" if endpoint.structured_output != Form.NONE else "keeps to no JSON schema"
    batches = "offers batches" if endpoint.supports_batch else "offers no batches"
    return f" It {schema} and {batches}."


async def _first_answer(client: Client, endpoint: Endpoint) -> Reply:
    """Ask the question; if the endpoint refuses the usual name of the length limit, try the newer one."""
    try:
        return await client.chat(QUESTION, {"model": endpoint.model, endpoint.length_parameter: ANSWER_TOKENS})
    except CallError as error:
        newer = Endpoint.LengthParameter.MAX_COMPLETION_TOKENS
        if error.trouble is not Trouble.REJECTED or newer not in error.message:
            raise
        reply = await client.chat(QUESTION, {"model": endpoint.model, newer: ANSWER_TOKENS})
        endpoint.length_parameter = newer
        return reply


async def _offered_instead(client: Client, endpoint: Endpoint, error: CallError) -> str:
    """Which models the endpoint offers, if it refused the one asked for."""
    names = [offer.model for offer in await _offers(client)] if error.trouble is Trouble.REJECTED else []
    if not names or endpoint.model in names:
        return ""
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return f" It offers {', '.join(names[:NAMES_SHOWN])}{more}."


async def structured_form(client: Client, model: str, length_parameter: str) -> Form:
    """The first spelling of a schema that the endpoint honours, or `none`.

    A spelling that is refused, or accepted and ignored, does not count. Raises CallError if the endpoint failed in
    another way, so that an outage is never taken for an answer.
    """
    question: list[ChatMessage] = [{"role": "user", "content": structured.PROBE_QUESTION}]
    for form in structured.TRIED:
        parameters: dict[str, Any] = {"model": model, length_parameter: PROBE_TOKENS}
        parameters |= structured.parameters(form, "pebble", structured.PROBE_SCHEMA)
        try:
            reply = await client.chat(question, parameters)
        except CallError as error:
            if error.trouble is not Trouble.REJECTED:
                raise
            continue
        if structured.is_probe_answer(reply.text):
            return form
    return Form.NONE


async def offers_batches(client: Client) -> bool:
    """Whether the endpoint lists batches; raises CallError if it failed rather than refused."""
    try:
        await client.batches(most=1)
    except CallError as error:
        # Other servers answer a path that they do not have in many ways.
        if error.trouble in (Trouble.REJECTED, Trouble.AMBIGUOUS, Trouble.AUTH):
            return False
        raise
    return True
