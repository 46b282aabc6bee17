"""The environment for fine-tuning, for tests that start something in it; without one they are skipped."""

import os
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NEEDED = "torch, transformers, trl, peft, datasets"


def finetune_python() -> str:
    """Its Python: FINETUNE_PYTHON, or that of `make finetune-install`; skips with the reason where there is none."""
    python = os.environ.get("FINETUNE_PYTHON") or str(ROOT / ".venv-finetune" / "bin" / "python")
    if reason := _problem(python):
        pytest.skip(reason)
    return python


def finetune_environment() -> dict[str, str]:
    """Variables for its programs: nothing is looked up on a network, and one thread leaves room for other tests."""
    offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    return {**os.environ, **offline, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}


@cache
def _problem(python: str) -> str:
    if not os.access(python, os.X_OK):
        return f"no environment for fine-tuning at {python}: run make finetune-install"
    looked = f"import importlib.util as u; print([n for n in '{NEEDED}'.split(', ') if not u.find_spec(n)])"
    done = subprocess.run([python, "-c", looked], capture_output=True, text=True)
    return (
        "" if done.stdout.strip() == "[]" else f"{python} lacks packages of fine-tuning: {done.stdout or done.stderr}"
    )
