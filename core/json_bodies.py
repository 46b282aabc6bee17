"""A JSON parser that answers 400, not 500, to deep nesting and to text that cannot be encoded."""

import json
from collections.abc import Mapping
from io import BytesIO
from typing import IO, Any

from django.http import HttpRequest
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser, JSONParser


class PatientJSONParser(JSONParser):
    """The REST framework's own parser fails with a server error on deep nesting.

    Half a surrogate pair parses, but then breaks every response that quotes it.
    """

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        # The framework would read the stream without a limit; `request.body` raises RequestDataTooBig.
        body = BytesIO(stream.body) if isinstance(stream, HttpRequest) else stream
        try:
            found = super().parse(body, media_type, parser_context)
            json.dumps(found, ensure_ascii=False).encode()
        except RecursionError:
            raise ParseError("The JSON is nested too deeply.") from None
        except UnicodeEncodeError:
            raise ParseError("The JSON holds half a letter, like \\ud83d alone. Send whole letters.") from None
        return found


class JSONLinesParser(BaseParser):
    """One JSON value a line, as a list."""

    media_type = "application/x-ndjson"

    def parse(  # type: ignore[override]
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> list[Any]:
        body = stream.body if isinstance(stream, HttpRequest) else stream.read()
        found = []
        for number, line in enumerate(body.splitlines(), 1):
            if line.strip():
                try:
                    found.append(PatientJSONParser().parse(BytesIO(line), media_type, parser_context))
                except ParseError as error:
                    raise ParseError(f"Line {number:,}: {error.detail}") from None
        return found
