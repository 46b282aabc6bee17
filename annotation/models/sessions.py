"""Who is logged in with which browser: see `annotation.people.sessions`."""

from importlib import import_module

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models


class Session(AbstractBaseSession):
    """A browser's session beside the account that logged in with it, so that one query reads both."""

    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="sessions")

    class Meta(AbstractBaseSession.Meta):
        abstract = False

    @classmethod
    def get_session_store_class(cls) -> type:
        # Named by the settings, because `annotation.people` stands above the models.
        store: type = import_module(settings.SESSION_ENGINE).SessionStore
        return store
