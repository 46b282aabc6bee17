"""The file forms by name, and how to recognise the form of a file from what it holds."""

from collections.abc import Callable
from dataclasses import dataclass

from dialogues.formats import (
    chat_json,
    convai2,
    convokit,
    csv_plain,
    daily_dialog,
    described,
    empathetic,
    json_rows,
    jsonl,
    lmsys,
    locomo,
    parlai,
    parlai_fields,
    role_chats,
    spc,
    telegram,
    whatsapp,
)
from dialogues.formats.columns import NESTED
from dialogues.formats.containers import head_of
from dialogues.formats.head import Head
from dialogues.formats.reading import FileLines, UnreadableFileError, quoted
from dialogues.formats.records import AS_IT_COMES, Choices, Parser

AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Format:
    """`fits` says in words what shows that a file is of this form, or "" if nothing does."""

    name: str
    label: str
    parse: Parser
    fits: Callable[[Head], str]
    # Whether these are private chats, whose people must be asked before others read them.
    is_private: bool = False
    # Whether no JSON and no Parquet is of this form, whatever its lines look like.
    is_text: bool = False


# The first that fits is taken, so a special form stands before a general one.
FORMATS = {
    form.name: form
    for form in (
        Format("convokit", "ConvoKit utterances", convokit.parse, convokit.fits),
        Format("rows", "JSON or Parquet, a message an object", json_rows.parse, json_rows.fits),
        Format("telegram", "Telegram export (JSON)", telegram.parse, telegram.fits, is_private=True),
        Format("whatsapp", "WhatsApp export", whatsapp.parse, whatsapp.fits, is_private=True, is_text=True),
        Format("jsonl", "Stephanie JSONL", jsonl.parse, jsonl.fits),
        Format("lmsys", "LMSYS chats and arena battles", lmsys.parse, lmsys.fits),
        Format("openai", "OpenAI messages (role, content)", role_chats.parse, role_chats.fits),
        Format("sharegpt", "ShareGPT conversations", role_chats.parse_sharegpt, role_chats.fits_sharegpt),
        Format("convai2", "ConvAI2 chats of volunteers", convai2.parse, convai2.fits),
        Format("locomo", "LoCoMo, a dialogue a session", locomo.parse, locomo.fits),
        Format("chat-json", "Other JSON with lists of messages", chat_json.parse, chat_json.fits),
        Format("spc", "Synthetic-Persona-Chat CSV", spc.parse, spc.fits, is_text=True),
        Format("parlai-fields", "ParlAI's named fields", parlai_fields.parse, parlai_fields.fits, is_text=True),
        Format("dailydialog", "DailyDialog text", daily_dialog.parse, daily_dialog.fits, is_text=True),
        Format("empathetic", "EmpatheticDialogues CSV", empathetic.parse, empathetic.fits, is_text=True),
        Format("parlai", "ParlAI text (PERSONA-CHAT, ConvAI2)", parlai.parse, parlai.fits, is_text=True),
        Format("csv", "CSV or TSV, a message a row", csv_plain.parse, csv_plain.fits, is_text=True),
    )
}


@dataclass(frozen=True, slots=True)
class Recognised:
    """A form, and in words what it was told by."""

    form: Format
    seen: str


def recognised(file: FileLines, name: str = AUTO, choices: Choices = AS_IT_COMES) -> Recognised:
    """The named form, or the one that the beginning of the file shows; raises UnreadableFileError if it shows none."""
    head = head_of(file)
    if not head.text.strip():
        raise UnreadableFileError("The file is empty.")
    if choices.columns:
        return Recognised(_form_of_columns(head, name, choices), "columns as you named them")
    if name != AUTO:
        return Recognised(FORMATS[name], "as you said")
    for form in FORMATS.values():
        if not (form.is_text and head.container) and (seen := form.fits(head)):
            return Recognised(form, seen)
    if head.container:
        raise UnreadableFileError(described.unknown(head))
    first = head.lines()[0].strip()
    raise UnreadableFileError(
        f"The form cannot be told from the first line, “{quoted(first)}”. Choose it: {', '.join(FORMATS)} "
        "(docs/formats.md describes them)."
    )


def _form_of_columns(head: Head, name: str, choices: Choices) -> Format:
    """The form whose columns or keys are named: lists of messages in JSON and Parquet, else rows of a message each."""
    rows = "rows" if head.container else "csv"
    form = FORMATS["chat-json" if NESTED in choices.columns else rows]
    if name not in (AUTO, form.name):
        raise UnreadableFileError(f"Columns can be named for {form.label}, not for {FORMATS[name].label}.")
    if form.name == "chat-json" and not head.container:
        raise UnreadableFileError("A list of messages can be named in JSON and Parquet only. Leave out messages=….")
    return form
