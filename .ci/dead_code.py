"""Names of the product that nothing in the product uses; what only tests use counts as unused.

Vulture reads Python alone. Templates, keyword arguments and strings name things, too: `{{ item.has_remarks }}`,
`update(revoked_at=now)`, `order_by("position")`. Their names count as used here. What remains and is alive all the
same stands in `alive.txt`, one name a line; a line that is no longer needed is an error, too.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from vulture import Vulture
from vulture.config import make_config

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
ALIVE = HERE / "alive.txt"
IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
IS_NAMES = re.compile(r"-?[A-Za-z_]\w*(\.\w+)*")


def main() -> int:
    options = make_config([])
    vulture = Vulture(ignore_names=options["ignore_names"], ignore_decorators=options["ignore_decorators"])
    vulture.scavenge([str(ROOT / name) for name in options["paths"]], exclude=options["exclude"])
    vulture.used_names.update(named_in_templates(), named_in_code(options["paths"]))
    found = vulture.get_unused_code(min_confidence=60)
    # Django and Celery read the settings themselves.
    unused = {item.name: item for item in found if item.filename.name != "settings.py"}
    alive = {line.split("#")[0].strip() for line in ALIVE.read_text().splitlines()} - {""}
    for name, item in unused.items():
        if name not in alive:
            print(f"{item.filename.relative_to(ROOT)}:{item.first_lineno}: nothing uses the {item.typ} {name}")
    for name in sorted(alive - unused.keys()):
        print(f"{ALIVE.relative_to(ROOT)}: {name} is used or gone: take the line away")
    return 1 if unused.keys() ^ alive else 0


def named_in_templates() -> Iterator[str]:
    for path in (ROOT / "templates").rglob("*.*"):
        for tag in re.findall(r"{[{%].*?[%}]}", path.read_text(), re.DOTALL):
            yield from IDENTIFIER.findall(tag)


def named_in_code(folders: list[str]) -> Iterator[str]:
    """Names of keyword arguments, and strings that are a name: `"excluded_by__isnull"`, `"config.hashing.Argon2"`."""
    for path in (path for folder in folders for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.keyword) and node.arg:
                yield from node.arg.split("__")
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and IS_NAMES.fullmatch(node.value):
                yield from re.split(r"__|\.", node.value.removeprefix("-"))


if __name__ == "__main__":
    sys.exit(main())
