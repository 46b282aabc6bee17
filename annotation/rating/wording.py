"""The sentences of the rating page's scripts."""

from typing import Any

from django.utils.translation import gettext_noop as _

from core.script_words import sentences_for_scripts

# static/js/rating*.js
SAID_BY_SCRIPTS = (
    _("Saved"),
    _("Sending…"),
    _("Choose a point for {name}."),
    _("The server cannot keep this."),
    _("Not saved yet: you are logged out. Log in in another tab; this page then sends your scores."),
    _("Not saved yet, retrying"),
    _("Comment"),
    _("Flag"),
    _("{question}: note"),
    _("{question}: messages"),
    _(": written"),
    _(": {count} marked"),
    _(": written, {count} marked"),
    _("Message {number}, mark for {question}"),
    _("Messages that led to your score for {question}: {count} marked"),
    _("Message {number} marked for {question}."),
    _("Message {number} no longer marked for {question}."),
    _("Marking messages for {question}. Arrows or numbers choose, Space marks, Escape ends."),
)


def script_words() -> dict[str, Any]:
    """The sentences of the rating page's scripts, in the page's language."""
    return sentences_for_scripts(SAID_BY_SCRIPTS)
