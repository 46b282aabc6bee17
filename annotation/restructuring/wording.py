"""The editor's sentences that the pure core and the page's scripts contain, listed here for translation.

Tests compare these lists with the code.
"""

from typing import Any

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_noop as _

from core.script_words import sentences_for_scripts
from dialogues.editing import EditError

# dialogues/editing.py, static/js/restructuring/editing.js
SAID_BY_BOTH = (
    _("Message {number} has no character {offset}."),
    _("There is nothing to split off here: put the caret between two words."),
    _("This is the first message: there is none above it to merge with."),
    _("The message above is the other speaker’s: only messages of one speaker can be merged."),
    _("The message cannot be moved any further."),
    _("There is no place {number} in this draft."),
    _("The last message stays: a dialogue needs at least one."),
    _("There is nothing to undo."),
    _("There is nothing to redo."),
    _("A dialogue here has at most {most} messages."),
    _("There are {count} operations to go back through."),
    _("There is no message {number} in this draft."),
    _("This cannot be a message: text is longer than {most} characters."),
)
# dialogues/editing.py, annotation/restructuring/proposals.py
SAID_BY_SERVER = (
    _("A message is speaker 1’s or speaker 2’s."),
    _("A proposal holds at least one message."),
    _("This cannot be a message: {problem}."),
    _("operation {number}: {reason}"),
    _("an operation names what it does in “op”: one of {names}"),
    _("“{name}” takes nothing else"),
    _("“{name}” takes {wanted}"),
    _("“{name}” is not what it should be"),
    _("That proposal is not there (any more). Choose another."),
    _("This message has been changed since the proposal was made for it."),
    _("This is not what was proposed. Ask for proposals again."),
)
# dialogues/transcript.py
PROBLEMS = (
    _("text is empty"),
    _("text contains a NUL character"),
    _("text contains half of a surrogate pair (broken Unicode)"),
)
# static/js/restructuring
SAID_BY_SCRIPTS = (
    *SAID_BY_BOTH,
    _("This cannot be a message: text is empty."),
    _("This cannot be a message: it holds a character that cannot be stored."),
    _("Split into messages {first} and {second}."),
    _("That cut is inside the word “{word}”. Undo it if you did not mean it."),
    _("Merged into message {number}."),
    _("Moved to place {number}."),
    _("New message below message {number}."),
    _("Message deleted; its content is lost unless you undo."),
    _("Message added."),
    _("Empty message deleted."),
    _("Undone."),
    _("Done again."),
    _("Original: {text}"),
    _("added"),
    _("{some} and {last}"),
    _("from {places} of the original"),
    _("Message {number}, {name}, {origin}"),
    _("New message by {name}"),
    _("The proposals did not come. Try again."),
    _("Nothing to propose for what is left unchanged."),
    _("Proposal dismissed."),
    _("Kept your text."),
    _("Now showing the other text."),
    _("Changed words are marked in the original."),
    _("Changed words are no longer marked."),
    _("Saving…"),
    _("Saved"),
    _("The server cannot keep this."),
    _("This dialogue is no longer yours to change."),
    _("Not saved yet: you are logged out. Log in in another tab; this page then sends your changes."),
    _("Not saved yet, retrying. Keep this page open; nothing is lost."),
)
COUNTED_BY_SCRIPTS = {
    "{count} messages have a proposal.": lambda count: ngettext(
        "{count} message has a proposal.", "{count} messages have a proposal.", count
    ),
    "Accepted: {count} messages.": lambda count: ngettext(
        "Accepted: {count} message.", "Accepted: {count} messages.", count
    ),
}


def script_words() -> dict[str, Any]:
    """The sentences of the editor's scripts, in the page's language."""
    return sentences_for_scripts(SAID_BY_SCRIPTS, COUNTED_BY_SCRIPTS)


def refusal(error: EditError) -> str:
    """Why an operation is impossible, in the page's language."""
    return gettext(error.sentence).format(**{name: _shown(value) for name, value in error.values.items()})


def _shown(value: object) -> object:
    if isinstance(value, EditError):
        return refusal(value)
    return gettext(value) if isinstance(value, str) and value in PROBLEMS else value
