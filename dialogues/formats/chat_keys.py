"""The words by which chat files call the parts of a dialogue, most telling first."""

from collections.abc import Iterable, Mapping
from typing import Any

from core.lines import lines_of

MESSAGES = (
    "messages",
    "conversations",
    "conversation",
    "dialog",
    "dialogue",
    "content",
    "turns",
    "utterances",
    "chat",
    "history",
    "log",
    "thread",
)
SPEAKER = (
    "role",
    "from",
    "speaker",
    "sender",
    "agent",
    "author",
    "user",
    "name",
    "speaker_id",
    "participant",
    "userId",
    "id",
)
# Names of the speakers of messages that are plain texts: a list beside theirs, as long as it.
SPEAKERS = ("speakers", "speaker", "names", "authors", "roles")
TEXT = ("content", "value", "text", "message", "utterance", "body")
TIME = ("timestamp", "time", "date", "created_at", "ts")
ID = ("dialogue_id", "dialog_id", "dialogID", "conversation_id", "conv_id", "chat_id", "id", "sample_id", "key")
THEME = ("theme", "topic", "situation", "context", "scenario")
# Traits of both: a list with two lists, or an object with one for each speaker.
TRAITS = ("personas", "persona", "traits", "profiles")
TRAITS_1 = ("traits_1", "persona_1", "persona1", "personas_1", "speaker_1_persona")
TRAITS_2 = ("traits_2", "persona_2", "persona2", "personas_2", "speaker_2_persona")

# Keys of a wrapper around dialogues or rows, such as a file with its splits.
WRAPPERS = frozenset(
    (
        *("data", "train", "training", "valid", "validation", "val", "dev", "test"),
        *("rows", "items", "examples", "records", "instances", "results", "dialogs", "dialogues", "list"),
    )
)


def first_key(keys: Iterable[str], wanted: Mapping[str, Any]) -> str:
    """The first of these keys that the object has, or ""."""
    return next((key for key in keys if key in wanted), "")


def first_item(value: object) -> object:
    return value[0] if isinstance(value, list) and value else None


def is_message(value: object) -> bool:
    """Whether an object is one message of a chat: it has a text, and no list of messages."""
    return isinstance(value, dict) and any(isinstance(value.get(key), str) for key in TEXT) and not is_dialogue(value)


def is_dialogue(value: object) -> bool:
    """Whether an object holds messages: a list of objects, of texts or of pairs under one of the known keys."""
    if not isinstance(value, dict):
        return False
    return any(isinstance(first_item(value.get(key)), (dict, list, str)) for key in MESSAGES if key != "content") or (
        is_message(first_item(value.get("content")))
    )


def identifier(value: object) -> str:
    """An id as text; "" for what is neither a text nor a whole number."""
    return "" if isinstance(value, bool) or not isinstance(value, (str, int)) else str(value).strip()


def texts_of(value: object) -> tuple[str, ...]:
    """Texts of a list, or the lines of a text, without those that are empty."""
    found = lines_of(value) if isinstance(value, str) else value if isinstance(value, list) else []
    return tuple(text.strip() for text in found if isinstance(text, str) and text.strip())


def at(value: object, path: str) -> Any:
    """What is at a path such as `meta.topic`, or None; a key may hold dots itself."""
    if not isinstance(value, dict) or not path:
        return None
    if path in value:
        return value[path]
    outer, _, inner = path.partition(".")
    return at(value.get(outer), inner)
