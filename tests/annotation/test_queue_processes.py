"""Several rater processes at one database: exactly k ratings an item, none twice, none failed."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.browser.server import database_url

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[2]
RATERS = 4


def start(env: dict[str, str], action: str, argument: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.annotation.rating_process", action, json.dumps(argument)]
    return subprocess.Popen(command, cwd=ROOT, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def result(process: subprocess.Popen[str]) -> Any:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return json.loads(out)


def test_processes_that_rate_at_once_give_every_item_exactly_its_raters() -> None:
    env = {**os.environ, "DATABASE_URL": database_url()}
    tokens = result(start(env, "setup", RATERS))
    processes = [start(env, "work", mine) for mine in tokens]
    rated = [result(process) for process in processes]
    assert sum(rated) == 16 * (1 + 2 + 3)
    assert result(start(env, "count", None)) == {
        str(k): {
            "items": 16,
            "ratings_per_item": [k],
            "rated_items": 16,
            "twice_by_one_rater": 0,
            "places": 16 * k,
        }
        for k in (1, 2, 3)
    }
