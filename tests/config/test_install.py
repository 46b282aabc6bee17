"""The first start fails in one line that says what to do."""

import ast
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "config" / "install.py"


@pytest.fixture
def checkout(tmp_path):
    """A folder like a fresh clone, with one pinned package that no index has to offer."""
    (tmp_path / "config").mkdir()
    shutil.copy(SOURCE, tmp_path / "config")
    (tmp_path / "requirements.txt").write_text("nothing-like-this==1.0 --hash=sha256:" + "0" * 64 + "\n")
    return tmp_path


@pytest.fixture
def install(checkout):
    spec = importlib.util.spec_from_file_location("install", checkout / "config" / "install.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_an_old_python_is_named(install, monkeypatch, capsys):
    monkeypatch.setattr(sys, "version_info", (3, 8, 10))
    monkeypatch.setattr(sys, "argv", ["install.py"])
    with pytest.raises(SystemExit):
        install.main()
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert "Python 3.11 or newer is needed, this is 3.8" in lines[0]


def test_it_is_written_for_a_python_that_is_too_old():
    assert ast.parse(SOURCE.read_text(), feature_version=(3, 6)).body


def test_without_a_network_it_says_to_connect(checkout):
    environment = {
        **os.environ,
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_RETRIES": "0",
        "PIP_CONFIG_FILE": os.devnull,
    }
    done = subprocess.run(
        [sys.executable, checkout / "config" / "install.py"], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert "connect to the network" in last
    assert (checkout / "var" / "install.log").exists()


def test_without_a_compiler_it_says_which_package_to_install(install, capsys):
    script = "import sys; print('error: command gcc failed: No such file'); sys.exit(1)"
    with pytest.raises(SystemExit):
        install.run([sys.executable, "-c", script], "failed")
    assert "build-essential" in capsys.readouterr().err


def test_a_second_installation_does_nothing(install, checkout):
    (checkout / "requirements.txt").write_text("")
    install.make_environment()
    install.install(["requirements.txt"])
    before = (checkout / "var" / "install.log").stat().st_mtime_ns
    install.install(["requirements.txt"])
    assert (checkout / "var" / "install.log").stat().st_mtime_ns == before


@pytest.mark.parametrize("whole", [False, True])
def test_an_environment_that_was_left_half_made_is_made_anew(install, checkout, monkeypatch, whole):
    """Without python3-venv Debian leaves a Python and no pip; so does Ctrl-C."""
    folder = checkout / ".venv" / "bin"
    folder.mkdir(parents=True)
    for name in ("python", "pip3") if whole else ("python",):
        (folder / name).touch()
    commands = []
    monkeypatch.setattr(install, "run", lambda command, default: commands.append(command[1:]))
    install.make_environment()
    assert commands == ([] if whole else [["-m", "venv", "--clear", str(checkout / ".venv")]])


def test_an_environment_whose_python_is_gone_is_made_anew(install, checkout, monkeypatch):
    folder = checkout / ".venv" / "bin"
    folder.mkdir(parents=True)
    (folder / "pip3").touch()
    (folder / "python").symlink_to(checkout / "removed")
    commands = []
    monkeypatch.setattr(install, "run", lambda command, default: commands.append(command))
    install.make_environment()
    assert len(commands) == 1
