"""What is run by hand still starts: benchmarks and the fuzzer, outside of a test run."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Servers of benchmarks that other modules start, which are no scripts.
SERVERS = {"bare", "bare_settings"}


def test_every_script_loads_outside_of_a_test_run() -> None:
    names = [path.stem for path in (ROOT / "tests" / "benchmarks").glob("[a-z]*.py") if path.stem not in SERVERS]
    assert len(names) > 8
    others = ("tests.dialogues.fuzz_readers", *(f"tests.coverage.{name}" for name in ("__main__", "few", "primary")))
    modules = [*(f"tests.benchmarks.{name}" for name in names), *others]
    environment = {name: value for name, value in os.environ.items() if name != "TESTS_RUN_DIR"}
    # Some refuse any other database; loading them asks nothing of it.
    environment["DATABASE_URL"] = "postgres://nobody@127.0.0.1:5432/none"
    done = subprocess.run(
        [sys.executable, "-c", f"from importlib import import_module\nfor one in {modules}: import_module(one)"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
