"""Compute every cell of this bundle's tables again from its data, and name those that differ.

    python replicate.py [--json]

It needs Python 3.11 or later with NumPy, pandas and SciPy (requirements.txt names the releases that made the bundle).
First it compares each file with manifest-sha256.txt. Then `analysis/`, which is the program that made the report,
computes all tables again, and check.py, which shares no line with it, the simplest figures in its own way.

Exit codes: 0 nothing differs; 1 a file, a cell or a figure differs; 2 the bundle cannot be read.
"""

import argparse
import hashlib
import json
import runpy
import sys
from pathlib import Path

SAME, DIFFERENT, UNREADABLE = 0, 1, 2
MANIFEST = "manifest-sha256.txt"


def main() -> int:
    folder = Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    as_json = parser.parse_args().json
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(folder / "analysis"))
    return tell(folder, folder / "check.py", as_json=as_json)


def tell(folder: Path, check: Path, *, as_json: bool) -> int:
    """Replicate the bundle in `folder`, print what was found, and return the exit code; `check` is check.py's path."""
    from annotation.bundles.replication import replicate

    files: list[str] = []
    try:
        files = altered_files(folder)
        found = replicate(folder)
        figures, wrong = runpy.run_path(str(check))["different_figures"](folder)
    # Whatever a file holds that nobody foresaw.
    except Exception as error:
        return _tell_unreadable(files, f"The bundle cannot be read. {error}", as_json=as_json)
    if as_json:
        told = {"files": files, **found._asdict(), "figures": figures, "different_figures": wrong}
        print(json.dumps(told | {"different": [one._asdict() for one in found.different]}, ensure_ascii=False))
    else:
        for line in (*files, *(one.sentence for one in found.different), *wrong):
            print(line)
        print(
            f"{found.study}: {found.cells:,} cells of {found.tables:,} tables recomputed; cells that differ: "
            f"{len(found.different):,}. Figures checked in another way: {figures:,}; that differ: {len(wrong):,}. "
            f"Files that are not as the manifest says: {len(files):,}."
        )
    return DIFFERENT if files or found.different or wrong else SAME


def _tell_unreadable(files: list[str], problem: str, *, as_json: bool) -> int:
    if as_json:
        print(json.dumps({"error": problem, "files": files}, ensure_ascii=False))
    else:
        print(*files, problem, sep="\n", file=sys.stderr)
    return UNREADABLE


def altered_files(folder: Path) -> list[str]:
    """A sentence for each file that was changed, is missing, or was added, compared with the manifest."""
    lines = (folder / MANIFEST).read_text(encoding="utf-8").splitlines()
    told = {path: digest for digest, _, path in (line.partition("  ") for line in lines)}
    there = {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    there.pop(MANIFEST, None)
    found = [f"{path}: missing" for path in told if path not in there]
    found += [f"{path}: not in the manifest" for path in there if path not in told]
    for path in told.keys() & there.keys():
        if hashlib.sha256(there[path].read_bytes()).hexdigest() != told[path]:
            found.append(f"{path}: changed since the bundle was made")
    return sorted(found)


if __name__ == "__main__":
    sys.exit(main())
