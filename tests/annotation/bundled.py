"""Bundles of small studies, unpacked, and their replication by a Python that cannot import Django."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from annotation.bundles.contents import make_bundle
from annotation.bundles.loading import material_of
from annotation.models import Study
from core.archives import zipped

# Runs a bundle's replicate.py as `python replicate.py --json` does, where none of the product's packages is to be had.
GUARDED = """
import runpy, sys
FORBIDDEN = {"django", "rest_framework", "celery", "config", "demo", "altair", "psycopg", "redis", "tests"}
class Guard:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in FORBIDDEN:
            raise ImportError(f"{name} is not here")
sys.meta_path.insert(0, Guard)
program = sys.argv[1]
sys.argv = [program, "--json"]
try:
    runpy.run_path(program, run_name="__main__")
finally:
    folder = program.rpartition("/")[0]
    ours = ("annotation", "core", "dialogues", "generation")
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in ours and not (module.__file__ or "").startswith(folder):
            sys.exit(f"{name} is not the bundle's own")
"""


def bundle_of(study: Study) -> bytes:
    """The ZIP file."""
    # The numbers of a launch, for the methods text; studies in tests are not launched.
    backgrounds = study.items.values("background").distinct().count()
    numbers = {"items": study.items.count(), "backgrounds": backgrounds, "complete": backgrounds, "incomplete": 0}
    Study.objects.filter(pk=study.pk).update(selection={**numbers, "set_aside": 0, **study.selection})
    study.refresh_from_db()
    return b"".join(zipped(make_bundle(study=study, material=material_of(study), by=None, how="in a test")))


def unpacked(content: bytes, folder: Path) -> Path:
    with ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(folder)
    return folder


def replicated_apart(folder: Path) -> tuple[int, Any]:
    """The exit code of the bundle's own program, in a process that cannot import Django, and what it printed."""
    command = [sys.executable, "-I", "-X", "utf8", "-c", GUARDED, str(folder / "replicate.py")]
    done = subprocess.run(command, env={"OMP_NUM_THREADS": "1"}, capture_output=True, text=True, check=False, cwd="/")
    assert not done.stderr, done.stderr
    return done.returncode, json.loads(done.stdout)


def files_of(content: bytes) -> dict[str, bytes]:
    with ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
