"""Conversations that branch, as threads of a forum do: how many messages reply to one that is not just before them.

A dialogue is read as one row of messages, so a message then seems to answer what it does not.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from dialogues.formats.records import BadRecord
from dialogues.formats.sides import Chat

# What files call the message that a message replies to, and the id of the message itself, the surest words first.
REPLY_TO = (
    *("reply_to", "reply-to", "replyto", "reply_to_id", "in_reply_to", "in_reply_to_id", "in_reply_to_status_id"),
    *("in_response_to_tweet_id", "parent_message_id", "parent_id", "parentid", "parent"),
)
MESSAGE_ID = ("message_id", "messageid", "utterance_id", "comment_id", "post_id", "tweet_id", "msg_id", "id")
_KEYS = (REPLY_TO, MESSAGE_ID)


def reply_of(value: Mapping[str, Any], others: Collection[str]) -> tuple[str, str]:
    """A message's id and that of the message it replies to, "" for none or where no known key says it.

    `others` are keys that hold something else.
    """
    parent, own = (next((key for key in keys if key in value and key not in others), "") for keys in _KEYS)
    return (word(value.get(own)), word(value[parent])) if parent else ("", "")


def word(value: object) -> str:
    """An id as text; "" for what is none."""
    return str(value).strip() if isinstance(value, str | int) else ""


def with_branches_counted(chats: Iterable[Chat | BadRecord]) -> Iterator[Chat | BadRecord]:
    """The same; the tally of a dialogue that branches counts `replies_to_an_earlier_message`."""
    for chat in chats:
        if isinstance(chat, Chat) and (back := replies_back(chat.replies)):
            chat.tally["replies_to_an_earlier_message"] += back
        yield chat


def replies_back(replies: Sequence[tuple[str, str]]) -> int:
    """How many of these messages, in their order, reply to one further up than the message before them.

    A message that is not among them counts as further up once another one has replied to it.
    """
    further_up: set[str] = set()
    before, found = "", 0
    for own, parent in replies:
        found += parent != before and parent in further_up
        further_up |= {own, parent} - {""}
        before = own
    return found
