"""What this machine has, asked without torch, which takes seconds to load."""

import importlib.metadata
import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PACKAGES = ("torch", "transformers", "trl", "peft", "datasets", "accelerate", "tokenizers")


@dataclass(frozen=True, slots=True)
class Card:
    name: str
    bytes: int


def cards() -> list[Card]:
    """Graphics cards that torch can use, as nvidia-smi lists them; none where there is no driver."""
    program = shutil.which("nvidia-smi")
    if not program:
        return []
    query = [program, "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"]
    done = subprocess.run(query, capture_output=True, text=True, check=False)  # noqa: S603
    found = []
    for line in done.stdout.splitlines() if done.returncode == 0 else []:
        name, _, mebibytes = line.rpartition(",")
        if mebibytes.strip().isdigit():
            found.append(Card(name.strip(), int(mebibytes) << 20))
    return found


def use_one_card() -> bool:
    """Hide all cards but the first one from torch where this trainer works alone; True where others then lie idle.

    The library would train on all of them at once, with a batch several times that of the plan. Call it before torch is
    loaded.
    """
    if processes() > 1 or len(cards()) < 2:
        return False
    os.environ["CUDA_VISIBLE_DEVICES"] = os.environ.get("CUDA_VISIBLE_DEVICES", "0").partition(",")[0]
    return True


def host_memory() -> int:
    """Bytes of the machine's memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def processes() -> int:
    """How many trainers work together, as accelerate's launcher says."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_first() -> bool:
    """Whether this trainer is the one that reports and writes."""
    return os.environ.get("RANK", "0") == "0"


def environment() -> dict[str, Any]:
    """Versions and machine, for the record of a run."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
        "git_revision": _git_revision(),
        "cards": [card.name for card in cards()],
        "processes": processes(),
        "processors": os.cpu_count(),
        "host_memory_bytes": host_memory(),
    }


def _git_revision() -> str:
    """Of this program; "" outside a checkout."""
    program = shutil.which("git")
    if not program:
        return ""
    command = [program, "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    return done.stdout.strip() if done.returncode == 0 else ""
