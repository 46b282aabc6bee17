"""`manage.py trial …`: made, sent and shown without a browser."""

from functools import partial
from pathlib import Path

import pytest
from django.core.management import CommandError

from demo.model.faults import DemoSettings
from generation.models import Call, Trial
from tests.commands import said_by
from tests.demo_server import DemoServer
from tests.generation.runs import NOWHERE, endpoint_at, small_corpus
from tests.generation.trials import draft_set, gammas, wording

pytestmark = pytest.mark.django_db(transaction=True)


command = partial(said_by, "trial")


def test_a_trial_is_made_and_sent_in_two_commands(demo_model: DemoServer) -> None:
    draft = draft_set()
    gammas(small_corpus(7))
    endpoint_at(demo_model.base_url)
    made = command("create", "--set", draft.pk, "--corpus", "Small", "--endpoint", "Demo", "--json")
    assert (made["state"], len(made["backgrounds"]), len(made["arms"])) == ("draft", 5, 2)
    assert not Call.objects.exists()
    assert "5 calls" in command("show", made["trial"])
    done = command("start", made["trial"], "--json")
    assert (done["state"], done["sentence"]) == ("finished", "10 of 10 answers")
    written = done["backgrounds"][0]["answers"][0]["written"][0]
    assert (written["version"], written["failed"]) == ("stephanie", False)
    assert written["figures"]["kept"] > 0.8
    text = command("show", made["trial"])
    assert "difference" in text
    assert f"{made['trial']:>5}  finished" in command("list")
    assert command("list", "--json")["trials"][0]["trial"] == made["trial"]


def test_the_same_again_costs_nothing_and_ends_well(demo_model: DemoServer) -> None:
    draft = draft_set()
    gammas(small_corpus(1))
    endpoint_at(demo_model.base_url)
    plan = ("create", "--set", draft.pk, "--corpus", "Small", "--endpoint", "Demo", "--dialogue", "d0.gamma", "--start")
    command(*plan)
    assert "answered before" in command(*plan)
    assert Call.objects.count() == 2


def test_a_wording_comes_from_a_file(demo_model: DemoServer, tmp_path: Path) -> None:
    draft_set()
    gammas(small_corpus(1))
    endpoint_at(demo_model.base_url)
    file = tmp_path / "user.txt"
    file.write_text(wording("further_split", "\nBe brief.").user, encoding="utf-8")
    plan = ("create", "--stage", "further_split", "--corpus", "Small", "--endpoint", "Demo", "--user")
    made = command(*plan, file, "--json")
    trial = Trial.objects.get(pk=made["trial"])
    assert trial.prompt is not None
    assert trial.prompt.user.endswith("Be brief.")
    with pytest.raises(CommandError, match="cannot be read"):
        command(*plan, tmp_path / "missing.txt")


def test_a_trial_with_failures_exits_with_four(demo_model: DemoServer) -> None:
    demo_model.settings = DemoSettings(faults={"bad_request": 1.0})
    draft = draft_set()
    gammas(small_corpus(1))
    endpoint_at(demo_model.base_url)
    with pytest.raises(SystemExit) as ended:
        command("create", "--set", draft.pk, "--corpus", "Small", "--endpoint", "Demo", "--start")
    assert ended.value.code == 4
    assert "Failed: " in command("show", Trial.objects.get().pk)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"--set": 999}, "no example set 999"),
        ({"--set": None}, "Name a --set"),
        ({"--corpus": "Copies for trials"}, "Available: Small"),
        ({"--dialogue": "d0"}, "no γ named 'd0'"),
        ({"--endpoint": "Nobody"}, "Available: Demo"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(changes: dict[str, object], words: str) -> None:
    plan: dict[str, object] = {"--set": draft_set().pk, "--corpus": "Small", "--endpoint": "Demo", **changes}
    gammas(small_corpus(1))
    endpoint_at(NOWHERE)
    with pytest.raises(CommandError, match=words):
        command("create", *(part for name, value in plan.items() if value is not None for part in (name, value)))
    assert not Trial.objects.exists()


def test_only_what_runs_can_be_stopped() -> None:
    draft = draft_set()
    gammas(small_corpus(1))
    endpoint_at(NOWHERE)
    made = command("create", "--set", draft.pk, "--corpus", "Small", "--endpoint", "Demo", "--json")
    with pytest.raises(CommandError, match="not running; it is draft"):
        command("stop", made["trial"])
    with pytest.raises(CommandError, match="no trial 999"):
        command("show", 999)
