"""The demo starts with one command, shows what it promises, and leaves nothing behind."""

import asyncio
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import psutil
import pytest

from config.supervisor import StopRequest
from demo import __main__ as demo_command
from tests.demo_process import ROOT, free_port, running_demo


def test_the_demo_starts_answers_and_stops_without_leaving_a_process(tmp_path):
    port = free_port()
    with running_demo(tmp_path / "demo", port) as demo:
        assert demo.url == f"http://127.0.0.1:{port}"
        assert set(demo.passwords) == {"rater", "researcher", "admin"}
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            assert answer.status == 200
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as page:
            assert "Log in" in page.read().decode()
        family = psutil.Process(demo.process.pid).children(recursive=True)
        assert len(family) >= 4  # demo model, web, worker, timer
        demo.process.send_signal(signal.SIGINT)
        assert demo.process.wait(30) == 0
        _, alive = psutil.wait_procs(family, timeout=5)
        assert not alive

    # A second start finds everything there and makes nothing twice.
    with running_demo(tmp_path / "demo", port) as again:
        assert again.passwords == demo.passwords


def test_a_taken_port_is_one_line_with_a_free_one(tmp_path):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "demo", "--port", str(port), "--folder", str(tmp_path)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert f"port {port} is taken" in done.stderr
    assert re.search(r"make demo PORT=\d+", done.stderr)


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL"])
def test_the_demo_stays_embedded_whatever_the_shell_points_at(name, monkeypatch, tmp_path):
    from demo import environment

    monkeypatch.setenv(name, "somewhere://else")
    with pytest.MonkeyPatch.context() as patch:
        kept = dict(environment.os.environ)
        environment.apply(environment.prepare(tmp_path))
        assert name not in environment.os.environ
        for key in set(environment.os.environ) - set(kept):
            patch.delenv(key)
        environment.os.environ.update(kept)


def test_the_secrets_file_is_for_its_owner_alone(tmp_path):
    from demo import environment

    environment.prepare(tmp_path)
    assert (tmp_path / "secrets.json").stat().st_mode & 0o077 == 0


def test_a_first_start_that_broke_off_while_writing_secrets_is_mended_by_the_next(tmp_path, monkeypatch):
    from demo import environment

    def broken_off(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", broken_off)
        with pytest.raises(KeyboardInterrupt):
            environment.prepare(tmp_path)
    demo = environment.prepare(tmp_path)
    assert set(demo.passwords) == {"rater", "researcher", "admin"}
    assert [path.name for path in tmp_path.iterdir()] == ["secrets.json"]


def test_a_stop_request_leaves_an_event_loop_that_collects_errors():
    async def interrupted():
        raise StopRequest

    async def work():
        await asyncio.gather(interrupted(), return_exceptions=True)

    with pytest.raises(StopRequest):
        asyncio.run(work())


@pytest.mark.parametrize("port", ["80", "65535", "99999", "http"])
def test_an_impossible_port_is_told_with_a_possible_one(port, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["demo", "--port", port])
    with pytest.raises(SystemExit):
        demo_command.main()
    assert "from 1024 to 65000" in capsys.readouterr().err.splitlines()[-1]
