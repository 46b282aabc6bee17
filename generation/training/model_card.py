"""The card of a tuned model: what it was made of, how, what the check found, how to serve it, and its limits."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.tables import Table
from generation.training.curves import Point
from generation.training.serving import Server
from generation.training.trainer_command import FROM_CONFIGURATION

_LOSSES_SHOWN = 12
_LIMITS = (
    "It was trained to write as the speakers of its data do, not to be helpful, truthful or safe.",
    "It answers in messages with the delimiter between them; a program that shows its replies must split them there.",
    "It was checked on backgrounds of the same corpus only. How it does on other dialogues is not known.",
    "Limits and licence of its base hold for it, too.",
)


@dataclass(frozen=True, slots=True)
class Card:
    """Everything that a model card says, as values.

    `labels` are warnings about the data, such as that they are demo texts; `data` and `settings` are facts by name.
    """

    name: str
    base: str
    base_licence: str
    method: str
    set_name: str
    set_sha256: str
    delimiter: str
    system: str
    data: Mapping[str, Any] = field(default_factory=dict)
    labels: Sequence[str] = ()
    notice: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    training: Sequence[Point] = ()
    evaluation: Sequence[Point] = ()
    checked: Table | None = None
    servers: Sequence[Server] = ()
    is_adapter: bool = False


def model_card(card: Card) -> str:
    """Markdown with a YAML head, as hubs read it."""
    parts = [
        _head(card),
        f"# {_line(card.name)}",
        *(f"> **{_line(label)}**" for label in card.labels),
        *([_line(card.notice)] if card.notice else []),
        _about(card),
        _section("Data", _facts({"training set": card.set_name, "SHA-256": card.set_sha256, **card.data})),
        _section("Training", _facts({"base": card.base, "method": card.method, **card.settings})),
        _section("Losses", _losses(card)),
        _section("Check", _check(card.checked)),
        _section("How to serve it", _serving(card.servers)),
        _section("Environment", _facts(card.environment)),
        _section("Limits", "\n".join(f"- {limit}" for limit in _LIMITS)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(card: Card) -> str:
    """YAML takes JSON's texts as they are."""
    tags = ["dialogue", "step-by-step", *(["lora"] if card.is_adapter else []), *(["demo-data"] if card.labels else [])]
    is_made_here = card.base.startswith(FROM_CONFIGURATION)
    lines = [
        # A base made of a configuration has no name on a hub.
        *([] if is_made_here else [f"base_model: {json.dumps(card.base, ensure_ascii=False)}"]),
        f"license: {json.dumps('other')}",
        f"license_name: {json.dumps(card.base_licence or 'as its base', ensure_ascii=False)}",
        f"library_name: {json.dumps('peft' if card.is_adapter else 'transformers')}",
        f"pipeline_tag: {json.dumps('text-generation')}",
        f"tags: {json.dumps(tags)}",
        f"datasets: {json.dumps([card.set_name], ensure_ascii=False)}",
    ]
    return "\n".join(["---", *lines, "---"])


def _about(card: Card) -> str:
    return (
        "A language model that writes a turn of a chat as several short messages. Between two messages stands "
        f"{_code(card.delimiter)}; what stands between two delimiters is one message. Fine-tuned from "
        f"{_code(card.base)} as in *Stephanie: Step-by-Step Dialogues for Mimicking Human Interactions in Social "
        "Conversations* (arXiv 2407.04093), §3.3.\n\n"
        f"The template of its system messages:\n\n{_block(card.system)}"
    )


def _losses(card: Card) -> str:
    rows = [("training", point) for point in card.training[-1:]]
    rows += [("evaluation", point) for point in _spread(card.evaluation)]
    if not rows:
        return ""
    head = ["| loss of | step | loss |", "|---|---:|---:|"]
    return "\n".join([*head, *(f"| {name} | {point.step:,} | {point.loss:.4f} |" for name, point in rows)])


def _spread(points: Sequence[Point]) -> list[Point]:
    """The first and the last, and evenly chosen ones between."""
    if len(points) <= _LOSSES_SHOWN:
        return list(points)
    return [points[round(place * (len(points) - 1) / (_LOSSES_SHOWN - 1))] for place in range(_LOSSES_SHOWN)]


def _check(table: Table | None) -> str:
    if table is None or not table.rows:
        return "It was not checked after training."
    heads = [_cell(column.label) for column in table.columns]
    rule = ["---:" if column.numeric else "---" for column in table.columns]
    rows = [[_cell(cell.line) for cell in row] for row in table.shown_rows]
    lines = [f"| {' | '.join(row)} |" for row in (heads, rule, *rows)]
    return "\n".join([*lines, "", *(f"{_line(note)}\n" for note in table.notes)]).rstrip()


def _serving(servers: Sequence[Server]) -> str:
    return "\n\n".join(f"**{way.name}.** {way.words}\n\n{_block(chr(10).join(way.commands))}" for way in servers)


def _facts(facts: Mapping[str, Any]) -> str:
    rows = [
        f"| {_cell(str(name))} | {_cell(said(value))} |" for name, value in facts.items() if value not in ("", None)
    ]
    return "\n".join(["| | |", "|---|---|", *rows]) if rows else ""


def said(value: Any) -> str:
    """A value of a trainer's report in words."""
    if isinstance(value, str | int | float):
        return str(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _section(head: str, text: str) -> str:
    return f"## {head}\n\n{text}" if text else ""


def _line(text: str) -> str:
    return " ".join(text.split())


def _cell(text: str) -> str:
    return _line(text).replace("|", "\\|")


def _code(text: str) -> str:
    """Text in code marks, which may itself hold some."""
    shown = text.replace("\n", "⏎")
    return f"`` {shown} ``" if "`" in shown else f"`{shown}`"


def _block(text: str) -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}\n{text}\n{fence}"
