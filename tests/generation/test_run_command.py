"""`manage.py run …`: one JSON object on stdout, exit codes, errors that say what to do."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from generation import example_sets
from generation.demo_model import DemoSettings
from generation.models import Run
from tests.demo_server import DemoServer
from tests.generation.runs import draft, endpoint_at, small_corpus, started

pytestmark = pytest.mark.django_db(transaction=True)


def run_command(*arguments: str) -> Any:
    out = StringIO()
    call_command("run", *arguments, stdout=out)
    return json.loads(out.getvalue()) if "--json" in arguments else out.getvalue()


def test_a_run_is_made_and_sent_in_two_commands(demo_model: DemoServer) -> None:
    example_sets.load_all()
    small_corpus(4)
    endpoint_at(demo_model.base_url)
    made = run_command(
        "create", "--corpus", "Small", "--endpoint", "Demo", "--dialogues", "2", "--seed", "1", "--json"
    )  # fmt: skip
    assert (made["state"], made["dialogues"]) == ("draft", 2)
    finished = run_command("start", str(made["run"]), "--json")
    assert (finished["state"], finished["done"], finished["failed"]) == ("finished", 2, 0)
    assert run_command("status", str(made["run"]), "--json")["sentence"] == "2 of 2 dialogues"
    assert len(run_command("list", "--json")["runs"]) == 1


def test_a_paused_run_exits_with_three_and_one_with_failures_with_four(demo_model: DemoServer) -> None:
    demo_model.settings = DemoSettings(faults={"quota": 1.0})
    run = draft(small_corpus(1), endpoint_at(demo_model.base_url))
    with pytest.raises(SystemExit) as paused:
        run_command("start", str(run.pk))
    assert paused.value.code == 3
    demo_model.settings = DemoSettings(faults={"bad_request": 1.0})
    with pytest.raises(SystemExit) as failed:
        run_command("resume", str(run.pk))
    assert failed.value.code == 4


def test_pausing_from_the_command_line() -> None:
    run = started(small_corpus(1), endpoint_at("http://127.0.0.1:9/v1"))
    assert run_command("pause", str(run.pk), "--json")["state"] == "paused"
    with pytest.raises(CommandError, match="not running"):
        run_command("pause", str(run.pk))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("status", "99"), "no run 99"),
        (("create", "--corpus", "Nope", "--endpoint", "Demo"), "no corpus named 'Nope'. There is: Small"),
        (("create", "--corpus", "Small", "--endpoint", "Nope"), "no endpoint named"),
        (("create", "--corpus", "Small", "--endpoint", "Demo", "--stages", "pair"), "have no theme"),
    ],
)
def test_an_error_says_what_to_do(arguments: tuple[str, ...], words: str) -> None:
    example_sets.load_all()
    small_corpus(1)
    endpoint_at("http://127.0.0.1:9/v1")
    with pytest.raises(CommandError, match=words):
        run_command(*arguments)
    assert not Run.objects.exists()
