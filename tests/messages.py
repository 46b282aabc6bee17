"""A reader for catalogues of translations, of as much of their form as ours use: one line a text."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

LINE = re.compile(r'^(?P<key>msgctxt|msgid|msgid_plural|msgstr(?:\[\d\])?) (?P<text>".*")$')


def entries(path: Path) -> Iterator[dict[str, str]]:
    """`msgctxt`, `msgid`, `msgid_plural`, `msgstr`, `msgstr[0]` … of each text; the head of the file is left out."""
    for block in path.read_text(encoding="utf-8").split("\n\n")[1:]:
        found = (LINE.match(line) for line in block.splitlines() if not line.startswith("#"))
        yield {line["key"]: ast.literal_eval(line["text"]) for line in found if line}
