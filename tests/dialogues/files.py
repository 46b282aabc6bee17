"""Small files for import tests."""

import json
from pathlib import Path
from typing import Any

from dialogues.importing import Imported, Options, Source, import_file

PARLAI = "1 your persona: i bake .\n2 partner's persona: i swim .\n3 hello there\thi , how are you ?\n4 fine\tgood .\n"


def line(key: object = "d1", **fields: Any) -> str:
    """One line of JSONL; `messages` default to a short exchange."""
    return json.dumps({"id": key, "messages": [[1, "Hello"], [2, "Hi!"], [2, "You?"]], **fields}) + "\n"


def write(folder: Path, content: str | bytes, name: str = "file.txt") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def bring_in(folder: Path, content: str | bytes, *, name: str = "corpus", by: Any = None, **options: Any) -> Imported:
    form = options.pop("file_format", "auto")
    return import_file(Source(write(folder, content), "file.txt", form), name=name, by=by, options=Options(**options))
