"""Structured output: how a request says which JSON its reply must be. Pure.

Servers know it under three spellings, and some take a spelling without heeding it, so an endpoint's is found by
trying (`generation.endpoints.checking`) and every reply is validated all the same.
"""

import json
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any


class Form(StrEnum):
    """How an endpoint wants to be told; `unknown` until its check has tried."""

    UNKNOWN = "unknown"
    NONE = "none"
    JSON_SCHEMA = "json_schema"  # OpenAI, and most who follow it
    STRUCTURED_OUTPUTS = "structured_outputs"  # vLLM
    FLAT = "flat_schema"  # llama.cpp


_SPELLINGS: Mapping[Form, Callable[[str, Mapping[str, Any]], dict[str, Any]]] = {
    Form.JSON_SCHEMA: lambda name, schema: {
        "response_format": {"type": "json_schema", "json_schema": {"name": name, "strict": True, "schema": schema}}
    },
    Form.STRUCTURED_OUTPUTS: lambda name, schema: {"structured_outputs": {"json": schema}},
    Form.FLAT: lambda name, schema: {"response_format": {"type": "json_object", "schema": schema}},
}
TRIED = tuple(_SPELLINGS)

# A word that nobody says to a greeting: only a server that heeds the schema sends it.
PROBE_QUESTION = "Hello! How are you today?"
PROBE_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {"pebble": {"type": "string", "enum": ["slate-4711"]}},
    "required": ["pebble"],
    "additionalProperties": False,
}
_PROBE_ANSWER = {"pebble": "slate-4711"}


def parameters(form: str, name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """What a request carries so that its reply follows the schema; nothing where the form is none or unknown."""
    spelling = _SPELLINGS.get(Form(form))
    return spelling(name, schema) if spelling else {}


def schema_in(request: Mapping[str, Any]) -> tuple[Form, Mapping[str, Any]] | None:
    """The form and schema that a request carries, as a server finds them; None where it carries none."""
    outputs, wanted = request.get("structured_outputs"), request.get("response_format")
    if isinstance(outputs, Mapping) and isinstance(outputs.get("json"), Mapping):
        return Form.STRUCTURED_OUTPUTS, outputs["json"]
    if not isinstance(wanted, Mapping):
        return None
    if isinstance(wanted.get("schema"), Mapping):
        return Form.FLAT, wanted["schema"]
    inner = wanted.get("json_schema")
    if isinstance(inner, Mapping) and isinstance(inner.get("schema"), Mapping):
        return Form.JSON_SCHEMA, inner["schema"]
    return None


def is_probe_answer(text: str) -> bool:
    """Whether a reply is the one that the probe's schema forces."""
    try:
        found: object = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return found == _PROBE_ANSWER
