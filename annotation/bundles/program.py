"""The program of a bundle: the modules that compute a report, found by following their imports, and what runs them."""

import ast
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# What `replicate.py` imports; everything else follows.
ENTRANCE = "annotation.bundles.replication"
OURS = ("annotation", "core", "dialogues", "generation")
# Files beside a module that it reads.
READ_BY = {"dialogues.published": "tables.json"}
# In the bundle's first folder, as they stand here.
SCRIPTS = ("replicate.py", "check.py")
NEEDED = ("numpy", "pandas", "scipy")


@cache
def program_files() -> tuple[tuple[str, str], ...]:
    """(path in the bundle, text), sorted within `analysis/`; the code of a running process does not change."""
    return tuple(_program_files())


def _program_files() -> Iterator[tuple[str, str]]:
    for name in SCRIPTS:
        yield name, Path(__file__).with_name(name).read_text(encoding="utf-8")
    yield "requirements.txt", "".join(f"{name}=={version}\n" for name, version in needed_versions().items())
    yield "analysis/LICENSE", (ROOT / "LICENSE").read_text(encoding="utf-8")
    for path in sorted(_files()):
        yield f"analysis/{path.relative_to(ROOT)}", path.read_text(encoding="utf-8")


def needed_versions() -> dict[str, str]:
    """The releases of what the program imports, as they are installed here."""
    return {name: metadata.version(name) for name in NEEDED}


def _files() -> Iterator[Path]:
    for module in followed(ENTRANCE):
        path = path_of(module)
        assert path is not None
        yield path
        if module in READ_BY:
            yield path.with_name(READ_BY[module])


def followed(module: str) -> set[str]:
    """The module with every module and package of this project that importing it imports."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = None if name in found else path_of(name)
        if path is None:
            continue
        found.add(name)
        waiting += [name.rpartition(".")[0], *imported(path)]
    return found


def imported(path: Path) -> Iterator[str]:
    """The names that a file imports; of `from a import b` both `a` and `a.b`, because `b` may be a module."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{one.name}" for one in node.names)


def path_of(module: str) -> Path | None:
    """Where a module or package of this project stands; None for any other name."""
    if module.partition(".")[0] not in OURS:
        return None
    place = ROOT.joinpath(*module.split("."))
    return next((path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()), None)
