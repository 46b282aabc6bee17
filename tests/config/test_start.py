"""`make start` refuses in one line what it cannot do; `tests/browser/test_start.py` walks through what it can."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.demo_process import free_port

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def start(tmp_path):
    def run(port: int, **more: str) -> "subprocess.CompletedProcess[str]":
        bare = {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path), "ENV_FILE": ""}
        command = [sys.executable, "-m", "config.start", "--port", str(port)]
        return subprocess.run(
            command, cwd=ROOT, env=bare | more, capture_output=True, text=True, timeout=60, check=False
        )

    return run


def test_a_taken_port_is_one_line_with_a_free_one(start):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        done = start(port := holder.getsockname()[1])
    assert done.returncode == 1
    assert f"port {port} is taken" in done.stderr
    assert "make start PORT=" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_database_that_does_not_answer_is_named(start):
    done = start(free_port(), DATABASE_URL="postgres://nobody@127.0.0.1:1/nothing")
    assert done.returncode == 1
    assert "the database cannot be used" in done.stderr
    assert "DATABASE_URL" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_weak_secret_is_refused_before_anything_is_written(start, tmp_path):
    done = start(free_port(), SECRET_KEY="short")
    assert done.returncode == 2
    assert not (tmp_path / "stephanie.sqlite3").exists()
