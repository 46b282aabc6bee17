"""Reading a JSON body that somebody may have nested too deeply, or filled with what is no text."""

import json
from collections.abc import Mapping
from io import BytesIO
from typing import IO, Any

from django.http import HttpRequest
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class PatientJSONParser(JSONParser):
    """The REST framework's parser, which would answer deep nesting with a server error.

    So would any answer that quotes one half of a surrogate pair: no encoding can send it back.
    """

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        # The framework reads a request by itself; Django's own way has a limit, and says so with RequestDataTooBig.
        body = BytesIO(stream.body) if isinstance(stream, HttpRequest) else stream
        try:
            found = super().parse(body, media_type, parser_context)
            json.dumps(found, ensure_ascii=False).encode()
        except RecursionError:
            raise ParseError("The JSON is nested too deeply.") from None
        except UnicodeEncodeError:
            raise ParseError("The JSON holds half a letter, like \\ud83d alone. Send whole letters.") from None
        return found
