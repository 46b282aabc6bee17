"""What the schema says about every operation: how it refuses, and that it refuses unknown fields."""

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework.serializers import CharField

# No text may hold NUL; a text that must not be blank has more than white space.
STORABLE = r"^[^\u0000]*$"
SAYS_SOMETHING = r"^[^\u0000]*[^\s\u0000][^\u0000]*$"
REASON = {
    "type": "object",
    "properties": {"detail": {"type": "string", "description": "What happened and what to do."}},
    "required": ["detail"],
}
REASONS = {
    "type": "object",
    "additionalProperties": True,
    "description": "Reasons by field; `detail` where it is no single field's.",
}
ANYWHERE = {
    "400": ("A field or parameter is wrong, missing or unknown, or the body is no JSON.", REASONS),
    "401": ("No token, or one that is not good any more.", REASON),
    "403": ("The account may not do this.", REASON),
    "429": ("Too many requests; `Retry-After` says for how long to wait.", REASON),
    "503": ("The database does not answer just now; ask again after `Retry-After` seconds.", REASON),
}
OF_ONE = {"404": ("There is nothing with this number.", REASON)}
CHANGES = {
    "409": ("Not as things are now; the text says what to do.", REASON),
    "415": ("The body is not sent as application/json.", REASON),
}


class FrankSchema(AutoSchema):
    """Adds the refusals to every operation."""

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        found: dict[str, Any] = super()._get_response_bodies(direction)
        refusals = dict(ANYWHERE)
        if "{" in self.path or self.method == "GET":
            refusals |= OF_ONE
        if self.method != "GET":
            refusals |= CHANGES
        for status, (words, schema) in refusals.items():
            found.setdefault(status, {"description": words, "content": {"application/json": {"schema": schema}}})
        return found


class StrictExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """A `Strict` serializer knows its fields and no others."""

    target_class = "generation.plans.schema.Strict"
    match_subclasses = True

    def map_serializer(self, auto_schema: AutoSchema, direction: Any) -> dict[str, Any]:
        schema = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)  # type: ignore[no-untyped-call]
        for name, field in self.target.fields.items():
            _narrow(schema["properties"][name], field)
        return {**schema, "additionalProperties": False}


def _narrow(schema: dict[str, Any], field: Any) -> None:
    """Say which texts the field refuses, and whether a list may be empty."""
    if isinstance(field, CharField) and schema.get("type") == "string":
        schema.setdefault("pattern", STORABLE if field.allow_blank else SAYS_SOMETHING)
    if schema.get("type") == "array":
        if getattr(field, "allow_empty", True) is False:
            schema["minItems"] = 1
        _narrow(schema["items"], getattr(field, "child", None))
