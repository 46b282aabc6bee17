"""The suite by hand: what it says and how it ends."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults import __main__ as command
from tests.faults import servers
from tests.faults.broker import order
from tests.faults.site import ROOT, Report


def printed(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.faults", *arguments], cwd=ROOT, text=True, capture_output=True, timeout=60
    )


def test_help_names_every_way_to_run_it() -> None:
    help_text = printed("--help").stdout
    assert all(
        option in help_text for option in ("--row", "--short", "--json", "--crash-run", "--dialogues", "--kills")
    )


def test_an_unknown_row_is_refused() -> None:
    refused = printed("--row", "99")
    assert refused.returncode == 2
    assert "invalid choice" in refused.stderr


def test_a_figure_that_misses_its_promise_breaks_the_report() -> None:
    report = Report("money")
    report.at_most("calls paid", 10, 10)
    report.exactly("duplicates", 0, 0)
    report.told("SIGKILLs", 3)
    assert report.broken == []
    assert command.exit_code([report]) == 0
    report.at_least("outputs", 9, 10)
    assert [figure.name for figure in report.broken] == ["outputs"]
    assert command.exit_code([report]) == 1


def test_a_machine_without_the_servers_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(servers, "POSTGRES_PLACES", str(tmp_path))
    with pytest.raises(servers.MissingServerError, match="apt-get install redis-server"):
        servers.redis_program()
    with pytest.raises(servers.MissingServerError, match="apt-get install postgresql"):
        servers.postgres_programs()


def test_the_newest_postgresql_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for version in ("9.6", "15", "17"):
        (tmp_path / version / "bin").mkdir(parents=True)
        (tmp_path / version / "bin" / "initdb").touch()
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(servers, "POSTGRES_PLACES", str(tmp_path))
    assert servers.postgres_programs() == tmp_path / "17" / "bin"


def test_the_brokers_faults_are_mixed_with_the_emptying_in_the_middle() -> None:
    faults = order(12, 8)
    assert (faults.count("cut"), faults.count("restart"), faults.index("flush")) == (12, 8, 10)
    assert {"cut", "restart"} <= set(faults[:10]) & set(faults[11:])
