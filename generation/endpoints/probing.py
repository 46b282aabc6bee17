"""What an endpoint can do beyond answering, found out by trying it: structured output, the Batch API."""

from typing import Any

from generation.endpoints import structured
from generation.endpoints.client import CallError, Client, Trouble
from generation.endpoints.structured import Form
from generation.prompts import ChatMessage

# Room for a model that thinks before it answers.
PROBE_TOKENS = 1024


async def structured_form(client: Client, model: str, length_parameter: str) -> Form:
    """The first spelling of a schema that the endpoint heeds; `none` where it heeds none of them.

    A spelling that is refused, or taken and not heeded, is not honoured. Raises CallError where the endpoint failed
    in another way, so that an outage is never mistaken for an answer.
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
    """Whether there is a list of batches; raises CallError where the endpoint failed rather than refused."""
    try:
        await client.batches(most=1)
    except CallError as error:
        # Anything but a list of batches is another kind of server's answer to a path it does not have.
        if error.trouble in (Trouble.REJECTED, Trouble.AMBIGUOUS, Trouble.AUTH):
            return False
        raise
    return True
