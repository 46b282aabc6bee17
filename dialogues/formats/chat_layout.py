"""Where the objects of a chat file keep messages, speakers and texts: told by the first ones, or named by a person."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dialogues.formats.chat_keys import (
    ID,
    MESSAGES,
    SPEAKER,
    SPEAKERS,
    TEXT,
    THEME,
    TIME,
    TRAITS,
    TRAITS_1,
    TRAITS_2,
    at,
    first_key,
    identifier,
)
from dialogues.formats.described import keys
from dialogues.formats.reading import UnreadableFileError, listed, quoted

# Objects in which messages may lie: Label Studio's task, and wrappers of one dialogue.
_OUTER = ("data", "conversation", "dialogue", "chat")
# What a person may name beside `messages`.
NAMED = ("dialogue_id", "speaker", "text", "time", "theme", "traits_1", "traits_2")


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths of keys, `a.b` for a key inside an object; "" where the file has no such thing.

    `speaker` and `text` are keys of a message, and "" where messages are pairs or plain texts. Of plain texts,
    `speakers` is the list that names who said each.
    """

    messages: str
    speaker: str = ""
    text: str = ""
    time: str = ""
    speakers: str = ""
    dialogue_id: str = ""
    theme: str = ""
    traits_1: str = ""
    traits_2: str = ""
    # A list with the traits of both, or an object with those of each speaker.
    traits: str = ""

    def words(self) -> str:
        """`read as messages = dialog, speaker = sender, text = text`."""
        named = (
            "messages",
            "speaker",
            "speakers",
            "text",
            "time",
            "dialogue_id",
            "theme",
            "traits",
            "traits_1",
            "traits_2",
        )
        return "read as " + ", ".join(f"{name} = {quoted(found)}" for name in named if (found := getattr(self, name)))

    def used(self) -> frozenset[str]:
        """The outermost keys of a dialogue that are read."""
        paths = (self.messages, self.speakers, self.dialogue_id, self.theme, self.traits, self.traits_1, self.traits_2)
        return frozenset(path.partition(".")[0] for path in paths)


def layout_of(objects: Sequence[Mapping[str, Any]]) -> Layout | None:
    """The layout that the first objects of a file show, or None if they show none."""
    for path in dict.fromkeys(path for found in objects for path in _paths(found)):
        parts = _parts_of(path, objects, {})
        if parts is not None:
            return _whole(path, parts, objects)
    return None


def named_layout(columns: Mapping[str, str], objects: Sequence[Mapping[str, Any]]) -> Layout:
    """The layout that a person names; what is not named is told by the file. Raises UnreadableFileError."""
    path = columns["messages"]
    messages = _messages(path, objects)
    if not messages:
        found = keys(objects[0]) if objects else "none"
        raise UnreadableFileError(f"No list of messages is at “{path}”; the keys found are {found}.")
    named = {name: columns[name] for name in NAMED if name in columns}
    if "speaker" in named and "text" not in named and _has_list(objects, named["speaker"]):
        named["speakers"] = named.pop("speaker")
    inner = dict.fromkeys(key for message in messages if isinstance(message, dict) for key in message)
    for name in ("speaker", "text", "time"):
        if name in named and named[name].partition(".")[0] not in inner:
            raise UnreadableFileError(
                f"No message has the key “{named[name]}”, named as {name}; those found are {listed(inner)}."
            )
    return replace(_whole(path, _parts_of(path, objects, named) or {}, objects), **named)


def _has_list(objects: Iterable[Mapping[str, Any]], path: str) -> bool:
    return any(_listed(at(found, path)) for found in objects)


def _messages(path: str, objects: Iterable[Mapping[str, Any]]) -> list[Any]:
    return [message for found in objects for message in _listed(at(found, path))]


def _parts_of(path: str, objects: Sequence[Mapping[str, Any]], named: Mapping[str, str]) -> Mapping[str, str] | None:
    """The parts of a message as the first object shows them in which all are whole."""
    everything = _messages(path, objects)
    told = (_parts(_listed(at(found, path)), everything, named) for found in objects)
    return next((parts for parts in told if parts is not None), None)


def _paths(value: Mapping[str, Any]) -> Iterator[str]:
    yield from (key for key in MESSAGES if _listed(value.get(key)) and not _has_questions(key, value[key][0]))
    if (texts := _listed(value.get("data"))) and isinstance(texts[0], str):
        yield "data"
    for outer in _OUTER:
        inner = value.get(outer)
        if isinstance(inner, dict):
            yield from (f"{outer}.{key}" for key in sorted(inner, key=_rank) if _listed(inner[key]))


def _has_questions(key: str, first: object) -> bool:
    """Whether a `history` has pairs of a question and its answer, as files for fine-tuning do."""
    return key == "history" and is_pair(first) and isinstance(first[0], str)  # type: ignore[index]


def _rank(key: str) -> int:
    return MESSAGES.index(key) if key in MESSAGES else len(MESSAGES)


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _parts(messages: Sequence[Any], everything: Sequence[Any], named: Mapping[str, str]) -> Mapping[str, str] | None:
    """The keys of speaker, text and time in these messages; empty for pairs and plain texts; None if they are none."""
    if all(isinstance(message, str) or is_pair(message) for message in messages):
        return {} if messages and _have_speakers(everything) else None
    objects = [message for message in messages if isinstance(message, dict)]
    text = named.get("text") or next((key for key in TEXT if _has(objects, key, str)), "")
    speaker = named.get("speaker") or next((key for key in SPEAKER if key != text and _names(objects, key)), "")
    if len(objects) < len(messages) or not (text and speaker):
        return None
    if speaker == "id" and not _comes_back(message.get("id") for message in everything if isinstance(message, dict)):
        return None
    return {"speaker": speaker, "text": text, "time": _first(TIME, objects)}


def is_pair(message: object) -> bool:
    """Whether a message is `[speaker, text]`."""
    return isinstance(message, list) and len(message) == 2 and bool(identifier(message[0])) and _is_text(message[1])


def _have_speakers(messages: Iterable[Any]) -> bool:
    """Whether pairs are `[speaker, text]` rather than `[question, answer]`: speakers come back."""
    return _comes_back(message[0] for message in messages if is_pair(message))


def _is_text(value: object) -> bool:
    return value is None or isinstance(value, str)


def _has(objects: Iterable[Mapping[str, Any]], key: str, kind: type) -> bool:
    values = [found[key] for found in objects if key in found and found[key] is not None]
    return bool(values) and all(isinstance(value, kind) for value in values)


def _names(objects: Sequence[Mapping[str, Any]], key: str) -> bool:
    return bool(objects) and all(identifier(found.get(key)) for found in objects)


def _comes_back(values: Iterable[object]) -> bool:
    """Whether these name people, rather than number the messages or say something."""
    names = [identifier(value) for value in values]
    return len(set(names)) <= max(2, len(names) // 2)


def _name_texts(key: str, path: str, objects: Iterable[Mapping[str, Any]]) -> bool:
    """Whether most lists at this key are as long as the list of texts beside them."""
    fit = [
        len(found[key]) == len(texts)
        for found in objects
        if isinstance(found.get(key), list) and (texts := _listed(at(found, path))) and isinstance(texts[0], str)
    ]
    return 2 * fit.count(True) > len(fit)


def _first(wanted: Iterable[str], objects: Sequence[Mapping[str, Any]]) -> str:
    return first_key(wanted, dict.fromkeys(key for found in objects for key in found))


def _whole(path: str, parts: Mapping[str, str], objects: Sequence[Mapping[str, Any]]) -> Layout:
    used = path.partition(".")[0]
    texts = [key for key in THEME if key != used and _has(objects, key, str)]
    return Layout(
        path,
        **parts,
        speakers="" if parts else next((key for key in SPEAKERS if _name_texts(key, path, objects)), ""),
        dialogue_id=next((key for key in ID if any(identifier(found.get(key)) for found in objects)), ""),
        theme=texts[0] if texts else "",
        traits_1=_first(TRAITS_1, objects),
        traits_2=_first(TRAITS_2, objects),
        traits=_first(TRAITS, objects),
    )
