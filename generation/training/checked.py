"""What the check after training measured: the tuned model beside its base and the data, as a table."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from core.tables import Cell, Column, Table


class CheckedFigure(NamedTuple):
    """One figure of the check: its key in a row, how it is headed, and what it is."""

    key: str
    label: str
    definition: str
    is_share: bool = False
    decimals: int = 2


WHO = {"tuned": "Tuned model", "base": "Its base, untuned", "data": "Held-out data"}
CHECKED_FIGURES = (
    CheckedFigure(
        "delimiter_share", "With delimiter, %", "replies that hold the delimiter", is_share=True, decimals=1
    ),
    CheckedFigure("messages_a_turn", "Messages a turn", "messages between delimiters in a reply, on average"),
    CheckedFigure("words_a_message", "Words a message", "whitespace tokens in a message, on average"),
    CheckedFigure(
        "stopped_share", "Stop by themselves, %", "replies that end before the limit of their length", is_share=True,
        decimals=1,
    ),
    CheckedFigure("distinct_2", "Distinct-2", "unique bigrams over all bigrams of the replies", decimals=3),
    CheckedFigure(
        "copied_share", "Copied, %", "replies that stand in the training data, word for word", is_share=True, decimals=1
    ),
)  # fmt: skip
PROMPTS_NOTE = (
    "n counts replies, each to a prompt of backgrounds that were held out from training. All three answer the same "
    "prompts under the same system message."
)


def checked_table(rows: Sequence[Mapping[str, Any]], *, labels: Iterable[str] = ()) -> Table:
    """One row for each of who answered; `labels` are notes that always go with it, such as that the data are demo."""
    columns = (
        Column("Replies of", numeric=False),
        Column("n"),
        *(Column(one.label, decimals=one.decimals) for one in CHECKED_FIGURES),
    )
    definitions = "; ".join(f"{one.label.removesuffix(', %')}: {one.definition}" for one in CHECKED_FIGURES)
    return Table(
        slug="check",
        caption="The tuned model beside its base and the data, on held-out backgrounds",
        columns=columns,
        rows=tuple(_cells(row) for row in rows),
        notes=(*labels, PROMPTS_NOTE, f"{definitions}."),
    )


def _cells(row: Mapping[str, Any]) -> tuple[Cell, ...]:
    n = row.get("n")
    return (who_in_words(row), n if type(n) is int else None, *(figure_of(row, one) for one in CHECKED_FIGURES))


def who_in_words(row: Mapping[str, Any]) -> str:
    who = str(row.get("who", ""))
    return WHO.get(who, who[:40])


def figure_of(row: Mapping[str, Any], one: CheckedFigure) -> float | None:
    """The figure as it is shown, a share in percent; None where the row has none."""
    value = row.get(one.key)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return 100 * float(value) if one.is_share else float(value)
