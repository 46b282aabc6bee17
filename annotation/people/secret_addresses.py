"""Addresses that are themselves a secret: of invitations, open links, return links and password resets.

Whoever reads one can come in with it. So it is taken out of everything that is logged, whichever logger, handler or
library logs it, and browsers are told to keep it to themselves on every answer, those of refusals included.
"""

import logging
import re
from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.html import escape

# As a path, inside a whole address, or as a parameter of another one (`?next=%2Finvitation%2F…`).
SECRET = re.compile(r"((?:/|%2F)(?:invitation|door|account(?:/|%2F)reset)(?:/|%2F))[^\s\"'<>\\]+", re.IGNORECASE)

REFUSED = (403, 404)


def without_secrets(text: str) -> str:
    """The text with `[secret]` for what follows in such an address; linear in the text."""
    return SECRET.sub(r"\1[secret]", text)


class Record(logging.LogRecord):
    """A line of a log without secret addresses: in its words, what they are filled with, and its traceback."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.msg = _cleaned(self.msg)
        # Some formatters, uvicorn's among them, read these by themselves.
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
    """Keeps the address out of Referer headers, and out of the page that refuses it.

    `no-referrer` would also blank the Origin header of the form's POST, which the CSRF check then refuses.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if SECRET.search(request.get_full_path()):
            response["Referrer-Policy"] = "strict-origin"
            if response.status_code in REFUSED and not response.streaming:
                # The form that changes the language would lead back there.
                response.content = response.content.replace(escape(request.get_full_path()).encode(), b"/")
                response["Content-Length"] = str(len(response.content))
        return response
