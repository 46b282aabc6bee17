"""What the demo model makes of a schema that a request carries: the plainest value it allows. Pure."""

import json
from collections.abc import Mapping
from typing import Any

_PLAIN: Mapping[str, Any] = {"string": "", "integer": 0, "number": 0, "boolean": False, "null": None, "array": []}


def plainest(schema: Mapping[str, Any]) -> str:
    """JSON text that keeps to the schema: `const`, `enum`, `required` and `type` are heeded, bounds are not."""
    return json.dumps(_value(schema), ensure_ascii=False)


def _value(schema: Mapping[str, Any]) -> Any:
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    kind = schema.get("type", "object")
    if kind == "object":
        properties = schema.get("properties", {})
        return {name: _value(properties.get(name, {"type": "string"})) for name in schema.get("required", [])}
    return _PLAIN.get(kind) if isinstance(kind, str) else None
