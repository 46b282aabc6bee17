"""Asking the API as a script does: over HTTP, with a token in a header."""

import json
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client

from annotation.people import api_tokens
from annotation.roles import Role
from tests.people import make_user


class Script:
    """A script of somebody in a role; `get` and `post` answer the response, whose `.json()` is the answer."""

    def __init__(self, role: Role = Role.RESEARCHER) -> None:
        self.user: User = make_user(role)
        _, text = api_tokens.issue(user=self.user, name="script", by=None)
        self.client = Client(headers={"authorization": f"Bearer {text}"}, enforce_csrf_checks=True)

    def get(self, path: str, **query: Any) -> HttpResponse:
        return self.client.get(self._address(path), query)

    def post(self, path: str, data: Any = None, **headers: str) -> HttpResponse:
        body = json.dumps({} if data is None else data)
        return self.client.post(self._address(path), body, content_type="application/json", headers=headers)

    def _address(self, path: str) -> str:
        return path if path.startswith(("/", "http")) else f"/api/{path}"
