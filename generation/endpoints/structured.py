"""Structured output: how a request tells which JSON its reply must be. Pure.

Servers know three spellings, and some accept one without honouring it. So the check of an endpoint tries them
(`generation.endpoints.checking`), and every reply is validated all the same.
"""

import json
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any


class Form(StrEnum):
    """The spelling that an endpoint honours; `unknown` until it was checked."""

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

# Nobody answers a greeting with this word: only a server that honours the schema sends it.
PROBE_QUESTION = "Hello! How are you today?"
PROBE_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {"pebble": {"type": "string", "enum": ["slate-4711"]}},
    "required": ["pebble"],
    "additionalProperties": False,
}
_PROBE_ANSWER = {"pebble": "slate-4711"}


def parameters(form: str, name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """What to add to a request so that its reply follows the schema; nothing if the form is none or unknown."""
    spelling = _SPELLINGS.get(Form(form))
    return spelling(name, schema) if spelling else {}


def schema_in(request: Mapping[str, Any]) -> tuple[Form, Mapping[str, Any]] | None:
    """The form and schema in a request, as a server reads them, or None."""
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
