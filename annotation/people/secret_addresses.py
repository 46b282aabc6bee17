"""Addresses that are secrets: of invitations, open links, return links and password resets.

Whoever reads one can use it. So they are removed from all log records, whichever logger, handler or library makes them,
and every response, including refusals, tells browsers not to pass the address on.
"""

import logging
import re
from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.html import escape

# Matches a path, also inside a whole address or as a parameter of another (`?next=%2Finvitation%2F…`).
SECRET = re.compile(r"((?:/|%2F)(?:invitation|door|account(?:/|%2F)reset)(?:/|%2F))[^\s\"'<>\\]+", re.IGNORECASE)

REFUSED = (403, 404)


def without_secrets(text: str) -> str:
    """The text with the secret part of such addresses replaced by `[secret]`; linear in the text."""
    return SECRET.sub(r"\1[secret]", text)


class Record(logging.LogRecord):
    """A log record without secret addresses in its message, arguments and traceback."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.msg = _cleaned(self.msg)
        # Some formatters, such as uvicorn's, read the arguments directly.
        if isinstance(self.args, Mapping):
            self.args = {name: _cleaned(value) for name, value in self.args.items()}
        elif self.args:
            self.args = tuple(map(_cleaned, self.args))

    def getMessage(self) -> str:  # noqa: N802  (the library's name)
        return without_secrets(super().getMessage())

    @property
    def exc_text(self) -> str | None:
        return self._exc_text

    @exc_text.setter
    def exc_text(self, text: str | None) -> None:
        self._exc_text = without_secrets(text) if text else text


def _cleaned(value: Any) -> Any:
    return without_secrets(value) if isinstance(value, str) else value


class SecretAddressMiddleware:
    """Keeps the address out of Referer headers and out of the page that refuses it.

    `no-referrer` would also blank the Origin header of the form's POST, and the CSRF check would refuse it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if SECRET.search(request.get_full_path()):
            response["Referrer-Policy"] = "strict-origin"
            if response.status_code in REFUSED and not response.streaming:
                # The language form would contain the address to return to.
                response.content = response.content.replace(escape(request.get_full_path()).encode(), b"/")
                response["Content-Length"] = str(len(response.content))
        return response
