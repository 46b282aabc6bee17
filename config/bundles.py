"""`collectstatic` puts the rating page's style sheets into one file and its script's modules into another.

A rater on a slow line waits longer for requests than for bytes; so the page asks for 2 files instead of 17 (7 sheets,
10 modules). With DEBUG on the single files are served, so nothing has to be built while one works on them. It can go
when the project has a build step, or the storage backend bundles.
"""

import posixpath
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.core.files.base import ContentFile
from servestatic.storage import CompressedManifestStaticFilesStorage

STYLES: dict[str, tuple[str, ...]] = {
    "css/rating-page.css": (
        "css/tokens.css",
        "css/base.css",
        "css/components.css",
        "css/rating.css",
        "css/rating-evidence.css",
        "css/rating-pairs.css",
        "css/rating-stages.css",
    ),
}
# From the bundle to the module that imports the rest.
SCRIPTS = {"js/rating-page.js": "js/rating.js"}

Read = Callable[[str], str]
_IMPORT = re.compile(r'^import \{([^}]*)\} from "(\.[\w./-]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async function|function|class|const) (\w+))", re.MULTILINE)
_OTHER = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)
_COMMENT = re.compile(r"/\*.*?\*/\n?", re.DOTALL)


class BundleError(ValueError):
    """A module uses a form that the bundler does not know; the text names the line."""


def bundled_styles(names: Sequence[str], read: Read) -> str:
    """The sheets joined, without comments and indentation."""
    lines = (line.strip() for name in names for line in _COMMENT.sub("", read(name)).splitlines())
    return "\n".join(filter(None, lines)) + "\n"


def bundled_script(entry: str, read: Read) -> str:
    """The module and everything it imports as one script: each module becomes a function that returns its exports.

    Knows `import { names } from "./file.js";` and exported functions, classes and constants; raises BundleError for
    any other form.
    """
    parts: dict[str, str] = {}

    def add(name: str) -> str:
        variable = "$" + re.sub(r"\W", "_", name)
        if name in parts:
            return variable
        # Entered before its imports are read, so that a circle of imports ends.
        parts[name] = ""
        text = read(name)

        def bound(found: re.Match[str]) -> str:
            imported = add(posixpath.normpath(posixpath.join(posixpath.dirname(name), found[2])))
            return f"const {{{found[1].strip().rstrip(',')}}} = {imported};\n"

        text = _IMPORT.sub(bound, text)
        exported = ", ".join(_EXPORT.findall(text))
        text = _EXPORT.sub("", text)
        if other := _OTHER.search(text):
            raise BundleError(f"{name}: {other[0]!r} is a form that bundles do not know")
        del parts[name]
        parts[name] = f"const {variable} = (() => {{\n{text}\nreturn {{{exported}}};\n}})();\n"
        return variable

    add(entry)
    return "".join(parts.values())


class BundlingStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Collected files with hashed names and compressed twins, the bundles among them."""

    def post_process(self, paths: dict[str, Any], dry_run: bool = False, **options: Any) -> Iterator[Any]:
        def read(name: str) -> str:
            storage, path = paths[name]
            with storage.open(path) as file:
                return str(file.read().decode())

        if not dry_run:
            made = {name: bundled_styles(parts, read) for name, parts in STYLES.items()}
            made |= {name: bundled_script(entry, read) for name, entry in SCRIPTS.items()}
            for name, text in made.items():
                self.delete(name)
                self._save(name, ContentFile(text.encode()))
                paths[name] = (self, name)
        yield from super().post_process(paths, dry_run=dry_run, **options)
