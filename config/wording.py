"""What the scripts of every page say, apart from what they show."""

from typing import Any

from django.utils.translation import gettext_noop as _

from core.script_words import sentences_for_scripts

# static/js/status.js, static/js/scrollers.js, static/js/copy.js
SAID_BY_SCRIPTS = (
    _("The server refused this: your session may have ended or your role changed. Reload the page and try again."),
    _("The server could not do this (error {status}). What you typed is still here; try again in a moment."),
    _("The server cannot be reached. What you typed is still here; try again once you are online."),
    _("Table, scrolls sideways"),
    _("Copied"),
    _("Press Ctrl+C"),
)


def frame_words() -> dict[str, Any]:
    return sentences_for_scripts(SAID_BY_SCRIPTS)
