"""The examples of docs/api.md, taken from the page and run against the product as it is served."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.urls import reverse
from pytest_django import DjangoDbBlocker

from annotation.people import api_tokens
from annotation.roles import Role
from generation import example_sets
from generation.models import Call, Run
from tests.browser.server import Server, running_server
from tests.demo_server import DemoServer
from tests.generation.runs import endpoint_at, small_corpus, work
from tests.people import make_user
from tests.waiting import until

PAGE = Path(__file__).resolve().parents[2] / "docs" / "api.md"
pytestmark = pytest.mark.django_db(transaction=True)


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def server(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Server]:
    with django_db_blocker.unblock(), running_server() as served:
        yield served


@pytest.fixture
def environment(server: Server, demo_model: DemoServer) -> dict[str, str]:
    """What a job on a cluster is given: the server and a token of its own."""
    example_sets.load_all()
    small_corpus(3)
    endpoint_at(demo_model.base_url)
    _, token = api_tokens.issue(user=make_user(Role.RESEARCHER), name="cluster job", by=None)
    return {"PATH": os.environ["PATH"], "STEPHANIE": server.url, "TOKEN": token, "LOOK_EVERY": "0.2"}


def job(command: list[str], environment: dict[str, str], folder: Path) -> str:
    """Run a job to its end; this process is the worker that sends what it starts."""
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )

    def ended() -> bool:
        for run in Run.objects.running():
            work(run)
        return process.poll() is not None

    try:
        until(ended, "the job ends", pause=0.1)
    finally:
        process.kill()
    said, complaints = process.communicate()
    assert process.returncode == 0, complaints
    return said


def test_the_job_in_python_plans_starts_waits_and_fetches(environment: dict[str, str], tmp_path: Path) -> None:
    (script,) = blocks("python")
    (tmp_path / "job.py").write_text(script, encoding="utf-8")
    said = job([sys.executable, "-I", "job.py"], environment, tmp_path)
    assert said.strip() == "2 of 2 dialogues"
    assert (tmp_path / "run.jsonl").read_text(encoding="utf-8").count("\n") == 6
    # Started again, the job finds its run and pays for nothing.
    calls = Call.objects.count()
    assert job([sys.executable, "-I", "job.py"], environment, tmp_path) == said
    assert (Run.objects.count(), Call.objects.count()) == (1, calls)


def test_a_job_that_is_refused_says_why(environment: dict[str, str], tmp_path: Path) -> None:
    (script,) = blocks("python")
    (tmp_path / "job.py").write_text(script.replace('"Demo"', '"Nobody"'), encoding="utf-8")
    command = [sys.executable, "-I", "job.py"]
    refused = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "There is no endpoint named 'Nobody'. Available: Demo." in refused.stderr


def test_the_job_in_curl_works_too(environment: dict[str, str], tmp_path: Path) -> None:
    if not shutil.which("curl"):
        pytest.skip("no curl on this machine")
    (script,) = [block for block in blocks("sh") if "run=$(" in block]
    said = job(["bash", "-euo", "pipefail", "-c", script], environment, tmp_path)
    assert '"calls":6' in said
    assert (tmp_path / "stephanie.jsonl").exists()
    run = Run.objects.get()
    assert (run.dialogue_count, run.budget) == (2, 5)


def test_the_page_names_every_address_of_the_schema() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for name in ("schema", "corpora", "endpoints", "prompts", "runs"):
        assert reverse(f"api:{name}").split("/")[-2] in text
    for action in (
        "start",
        "pause",
        "budget",
        "retry",
        "decide",
        "reread",
        "discard",
        "calls",
        "outputs",
        "preview",
        "estimate",
    ):
        assert f"{action}/" in text
