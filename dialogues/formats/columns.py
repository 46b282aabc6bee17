"""Which columns or keys of a file hold what: as a person names them, or as their names and values let one guess."""

import re
from collections.abc import Callable, Mapping, Sequence
from math import isfinite

from dialogues.formats.reading import quoted
from dialogues.times import iso_time

REQUIRED = ("dialogue_id", "speaker", "text")
OPTIONAL = ("order", "time", "theme", "traits_1", "traits_2")
# A list of messages inside one object, in JSON and Parquet; then these are keys of its items.
NESTED = "messages"
LONGEST_GUESS = 100
NAMES = (*REQUIRED, *OPTIONAL, NESTED)
_HOW = (
    "Write dialogue_id=NAME,speaker=NAME,text=NAME with the names that the file uses; order, time, theme, traits_1 and "
    "traits_2 can be named the same way."
)

# What files call them, the surest words first.
_WORDS: Mapping[str, tuple[str, ...]] = {
    "dialogue_id": (
        *("dialogue_id", "dialog_id", "conversation_id", "conv_id", "conversationid", "dialogueid", "convo_id"),
        *("dialogid", "chat_id", "thread_id", "session_id", "conversation", "conv", "dialogue", "dialog", "thread"),
        *("chat", "session", "message_tree_id", "root", "group", "id"),
    ),
    "text": (
        *("text", "utterance", "message", "content", "body", "message_text", "utterance_text", "msg", "sentence"),
        *("line", "said", "value", "transcript"),
    ),
    "speaker": (
        *("speaker", "speaker_id", "speaker_idx", "speaker_name", "sender", "sender_id", "sender_name", "author"),
        *("author_id", "role", "user_id", "username", "user", "from", "participant", "participant_id", "agent"),
        *("name", "who", "handle"),
    ),
    "order": (
        *("order", "utterance_idx", "utterance_index", "turn", "turn_id", "turn_idx", "turn_index", "turn_no"),
        *("message_idx", "message_index", "index", "position", "sequence", "seq", "number", "idx"),
    ),
    "time": (
        *("time", "timestamp", "datetime", "date_time", "created_at", "created_date", "sent_at", "sent"),
        *("created_utc", "date", "ts", "when"),
    ),
    "theme": ("theme", "topic", "subject", "situation", "context", "prompt"),
    "traits_1": ("traits_1", "traits1", "persona_1", "persona1", "personas_1", "user_1_personas"),
    "traits_2": ("traits_2", "traits2", "persona_2", "persona2", "personas_2", "user_2_personas"),
}
_NOT_WORD = re.compile(r"[^0-9a-z]+")


def columns_from(text: str) -> dict[str, str]:
    """Read `dialogue_id=conv_id,speaker=who` as the file's names of columns; raises ValueError with a sentence."""
    return names_from(text, NAMES, _HOW)


def names_from(text: str, known: Sequence[str], how: str) -> dict[str, str]:
    """The same for other columns than those of dialogues; `how` ends each sentence and says how to write them."""
    columns: dict[str, str] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        name, given, called = (piece.strip() for piece in part.partition("="))
        if name not in known or not given or not called:
            raise ValueError(f"“{quoted(part)}” does not say which column is {one_of(known)}. {how}")
        if name in columns:
            raise ValueError(f"{name} is named twice. {how}")
        columns[name] = called
    return columns


def one_of(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"


def guess_columns(names: Sequence[str], rows: Sequence[Sequence[object]]) -> dict[str, str]:
    """What the columns probably are, from their names and the values in the first rows (cells in the order of `names`).

    It is for a person to look at, never for a file to be read by: dialogue_id, speaker, text and the others as keys,
    the file's names as values. What nothing speaks for is left out.
    """
    guess: dict[str, str] = {}
    # What cannot be written on a command line is not offered.
    usable = [name for name in names if name.isprintable() and len(name) <= LONGEST_GUESS and "," not in name]
    plain = {name: _NOT_WORD.sub("_", name.lower().rpartition(".")[2]).strip("_") for name in usable}
    for wanted, words in _WORDS.items():
        free = [name for word in words for name in usable if plain[name] == word and name not in guess.values()]
        fitting = (name for name in free if _speaks_for(wanted, [row[names.index(name)] for row in rows]))
        if found := next(fitting, None):
            guess[wanted] = found
    return guess


def advice(guess: Mapping[str, str]) -> str:
    """How to say which columns are which, with the guess filled in where there is one."""
    option = ",".join(f"{name}={guess.get(name, '…')}" for name in (*REQUIRED, *OPTIONAL[:2]) if _is_shown(name, guess))
    whole = set(REQUIRED) <= guess.keys()
    return (
        "Say which columns these are: under Columns on the import page, or by --columns "
        f"{option}{', if this guess is right' if whole else ''}."
    )


def _is_shown(name: str, guess: Mapping[str, str]) -> bool:
    return name in REQUIRED or name in guess


def _speaks_for(wanted: str, values: Sequence[object]) -> bool:
    filled = [value for value in values if value is not None and str(value).strip()]
    check = _CHECKS.get(wanted)
    return bool(filled) and (check is None or check(filled))


def _repeats(values: Sequence[object]) -> bool:
    return len(values) == 1 or len(set(map(str, values))) < len(values)


def _is_few(values: Sequence[object]) -> bool:
    return len(set(map(str, values))) <= max(2, len(values) // 2)


def _is_text(values: Sequence[object]) -> bool:
    return all(isinstance(value, str) for value in values) and not _are_numbers(values)


def _are_numbers(values: Sequence[object]) -> bool:
    return all(number_of(value) is not None for value in values)


def _are_times(values: Sequence[object]) -> bool:
    return all(iso_time(value) for value in values)


_CHECKS: Mapping[str, Callable[[Sequence[object]], bool]] = {
    "dialogue_id": _repeats,
    "speaker": _is_few,
    "text": _is_text,
    "order": _are_numbers,
    "time": _are_times,
}


def number_of(value: object) -> float | None:
    """A number as it is or as text, or None."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        # Ids of messages may be numbers that a float cannot hold.
        return int(value) if not isinstance(value, float) else _finite(value)
    except ValueError:
        return _finite(value)


def _finite(value: str | float) -> float | None:
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if isfinite(found) else None
