"""What the chat page says besides its template: by its scripts, and in events."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_noop as _

from core.script_words import sentences_for_scripts

# static/js/chats/
SAID_BY_SCRIPTS = (
    _("You: "),
    _("The other side: "),
    _("sending"),
    _("sent"),
    _("Trying again …"),
    _("This chat has ended."),
    _("You are logged out. Log in again in another tab; what you wrote is kept and then sent."),
    _("No connection. What you wrote is kept and sent as soon as there is one."),
    _("This chat is no longer yours. Go back to your studies."),
    _("{turns} of at least {least} turns"),
)
NO_ANSWER = _("No answer came.")
# By what went wrong.
FAILURES: Mapping[str, str] = {
    "rate_limited": _("The other side is busy just now."),
    "provider": _("The other side cannot be reached just now."),
    "rejected": NO_ANSWER,
    "filtered": _("This could not be answered. Try other words."),
    "ambiguous": _("The connection to the other side broke."),
}
# By why the chat ended.
ENDINGS: Mapping[str, str] = {
    "budget": _("This chat has used up what it may cost, so it ends here. It is kept."),
    "turns": _("It has had as many turns as it may have."),
    "time": _("Its time is up."),
}


def script_words() -> dict[str, Any]:
    return sentences_for_scripts(SAID_BY_SCRIPTS)
