"""The examples as Parquet, which `datasets.load_dataset` and every other reader of tables opens."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from generation.training.recipe import Kind
from generation.training.rendering import Example, Turn
from generation.training.targets.target import Made, Row

# Examples in a row group: what is held in memory for each split.
ROW_GROUP = 1000
_MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
_COMMON = [("name", pa.string()), ("background", pa.string()), ("version", pa.string())]
SCHEMAS: Mapping[Kind, Any] = {
    "dialogues": pa.schema([*_COMMON, ("side", pa.int8()), ("messages", _MESSAGES)]),
    "preferences": pa.schema(
        [
            *_COMMON,
            ("worse_version", pa.string()),
            ("side", pa.int8()),
            ("turn", pa.int32()),
            ("prompt", _MESSAGES),
            ("chosen", _MESSAGES),
            ("rejected", _MESSAGES),
        ]
    ),
}


class ParquetFile:
    """One file, written a row group at a time; the same rows give the same bytes with the same pyarrow."""

    def __init__(self, path: Path, kind: Kind) -> None:
        self._schema = SCHEMAS[kind]
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd")
        self._rows: list[Row] = []

    def add(self, made: Made) -> None:
        self._rows.append(_row(made))
        if len(self._rows) == ROW_GROUP:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, schema=self._schema))
            self._rows = []


def rows_in(path: Path) -> int:
    """As the written file says."""
    return int(pq.read_metadata(path).num_rows)


def _row(made: Made) -> Row:
    row: Row = {"name": made.name, "background": made.background, "version": made.version, "side": made.side}
    if isinstance(made, Example):
        return row | {"messages": _messages(made.turns)}
    return row | {
        "worse_version": made.worse_version,
        "turn": made.turn,
        "prompt": _messages(made.prompt),
        "chosen": _messages([Turn("assistant", made.chosen)]),
        "rejected": _messages([Turn("assistant", made.rejected)]),
    }


def _messages(turns: Iterable[Turn]) -> list[Row]:
    return [turn._asdict() for turn in turns]
