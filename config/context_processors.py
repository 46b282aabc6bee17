"""What every template may use."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext_noop as _

from core.script_words import sentences_for_scripts

# What the scripts of every page say: static/js/status.js, static/js/scrollers.js, static/js/copy.js
SAID_BY_SCRIPTS = (
    _("The server refused this: your session may have ended or your role changed. Reload the page and try again."),
    _("The server could not do this (error {status}). What you typed is still here; try again in a moment."),
    _("The server cannot be reached. What you typed is still here; try again once you are online."),
    _("Table, scrolls sideways"),
    _("Copied"),
    _("Press Ctrl+C"),
)


def product(request: HttpRequest) -> dict[str, object]:
    return {"demo_mode": settings.DEMO, "frame_words": frame_words}


def frame_words() -> dict[str, Any]:
    return sentences_for_scripts(SAID_BY_SCRIPTS)
