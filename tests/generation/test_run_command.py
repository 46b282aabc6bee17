"""`manage.py run …`: one JSON object on stdout, exit codes, errors that say what to do."""

import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from functools import partial
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from demo.model.faults import DemoSettings
from dialogues.formats import jsonl
from dialogues.formats.records import Record
from generation import example_sets
from generation.commandline.screen import Screen, lines_of
from generation.models import Call, Endpoint, ExampleSet, Run
from generation.watching.progress import progress_of
from tests.commands import said_by
from tests.demo_server import DemoServer
from tests.generation.runs import NOWHERE, draft, endpoint_at, fetched, small_corpus, started, work
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)


run_command = partial(said_by, "run")


def exit_code_of(*arguments: object) -> int | str | None:
    with pytest.raises(SystemExit) as ended:
        run_command(*arguments)
    return ended.value.code


def test_a_run_is_made_and_sent_in_two_commands(demo_model: DemoServer) -> None:
    example_sets.load_all()
    small_corpus(4)
    endpoint_at(demo_model.base_url)
    made = run_command(
        "create", "--corpus", "Small", "--endpoint", "Demo", "--dialogues", "2", "--seed", "1", "--json"
    )  # fmt: skip
    assert (made["state"], made["dialogues"]) == ("draft", 2)
    finished = run_command("start", made["run"], "--json")
    assert (finished["state"], finished["done"], finished["failed"]) == ("finished", 2, 0)
    assert run_command("status", made["run"], "--json")["sentence"] == "2 of 2 dialogues"
    assert len(run_command("list", "--json")["runs"]) == 1


def test_everything_that_planning_takes_is_an_option() -> None:
    example_sets.load_all()
    small_corpus(4)
    endpoint_at(NOWHERE)
    endpoint_at(NOWHERE, name="Second")
    pairs = ExampleSet.objects.get(kind="further_split")
    made = run_command(
        "create", "--corpus", "Small", "--writer", "Demo", "--writer", "Second", "--theme-endpoint", "Second",
        "--splitter", "Demo", "--name", "Two", "--dialogues", 2, "--seed", 3, "--search", "walk",
        "--fewest-messages", 2, "--most-messages", 50, "--without", "stephanie", "--without-writer", "other",
        "--stages", "theme", "pair", "further_split", "--reuse-themes", "--set", f"further_split={pairs.pk}",
        "--temperature", 0.5, "--max-tokens", 2000, "--keep-share", 0.9, "--ambiguous", "hold",
        "--budget", "12.5", "--token-budget", 90000, "--json",
    )  # fmt: skip
    run = Run.objects.with_stages().get(pk=made["run"])
    assert [(row.stage, row.branch, str(row.endpoint)) for row in run.rows] == [
        ("theme", 0, "Second"), ("pair", 0, "Demo"), ("pair", 1, "Second"),
        ("further_split", 0, "Demo"), ("further_split", 1, "Demo"),
    ]  # fmt: skip
    assert (run.name, run.dialogue_count, run.seed, run.keep_share) == ("Two", 2, 3, 0.9)
    assert (run.budget, run.token_budget, run.ambiguous_policy) == (12.5, 90000, "hold")


def test_preview_and_estimate_tell_what_would_be_sent() -> None:
    run = draft(small_corpus(2), endpoint_at(NOWHERE))
    sent = run_command("preview", run.pk, "--dialogue", "d1", "--json")["requests"]
    assert [request["stage"] for request in sent] == ["theme", "pair", "further_split"]
    assert "hello there ! 1" in json.dumps(sent[0]["messages"])
    assert "--- system" in run_command("preview", run.pk)
    estimate = run_command("estimate", run.pk, "--json")
    assert estimate["calls"] == sum(row["calls"] for row in estimate["rows"]) == 6
    assert "In total 6 calls" in run_command("estimate", run.pk)


def test_a_paused_run_exits_with_three_and_one_with_failures_with_four(demo_model: DemoServer) -> None:
    demo_model.settings = DemoSettings(faults={"quota": 1.0})
    run = draft(small_corpus(1), endpoint_at(demo_model.base_url))
    assert exit_code_of("start", run.pk) == 3
    assert exit_code_of("status", run.pk, "--watch") == 3
    demo_model.settings = DemoSettings(faults={"bad_request": 1.0})
    assert exit_code_of("resume", run.pk) == 4
    assert exit_code_of("status", run.pk, "--watch") == 4
    assert run_command("status", run.pk, "--json")["failed"] == 1


def test_an_interrupted_run_brings_its_calls_home_exits_with_five_and_goes_on_later(demo_model: DemoServer) -> None:
    demo_model.settings = DemoSettings(latency=0.5, jitter=0.0)
    run = draft(small_corpus(3), endpoint_at(demo_model.base_url, max_in_flight=1))

    def interrupt() -> None:
        until(lambda: demo_model.stats()["most_in_flight"], "a call")
        os.kill(os.getpid(), signal.SIGTERM)

    with ThreadPoolExecutor(1) as other:
        done = other.submit(interrupt)
        assert exit_code_of("start", run.pk) == 5
        done.result()
    # Ctrl-C means again what it means to Python.
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert not run.calls.filter(state=Call.State.SENT).exists()
    assert run.calls.filter(state=Call.State.DONE).count() >= 1
    demo_model.settings = DemoSettings()
    assert run_command("start", run.pk, "--json")["done"] == 3


def test_pausing_from_the_command_line() -> None:
    run = started(small_corpus(1), endpoint_at(NOWHERE))
    assert run_command("pause", run.pk, "--json")["state"] == "paused"
    with pytest.raises(CommandError, match="not running"):
        run_command("pause", run.pk)


def test_a_budget_is_set_and_lifted() -> None:
    run = draft(small_corpus(1), endpoint_at(NOWHERE))
    run_command("budget", run.pk, "--budget", "2.5", "--token-budget", 5000)
    run.refresh_from_db()
    assert (run.budget, run.token_budget) == (2.5, 5000)
    run_command("budget", run.pk)
    run.refresh_from_db()
    assert (run.budget, run.token_budget) == (None, None)


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--budget", "nan", "A valid number"),
        ("--budget", "1e12", "no more than"),
        ("--budget", "-1", "greater than"),
        ("--token-budget", 2**70, "less than"),
    ],
)
def test_a_budget_that_cannot_be_is_refused_in_words(option: str, value: object, words: str) -> None:
    run = draft(small_corpus(1), endpoint_at(NOWHERE), budget=Decimal(2))
    with pytest.raises(CommandError, match=f"{option}: .*{words}"):
        run_command("budget", run.pk, option, value)
    run.refresh_from_db()
    assert (run.budget, run.token_budget) == (2, None)


def test_a_draft_is_discarded_and_a_started_run_is_not() -> None:
    endpoint, corpus = endpoint_at(NOWHERE), small_corpus(1)
    assert run_command("discard", draft(corpus, endpoint).pk, "--json")["discarded"] is True
    with pytest.raises(CommandError, match="cannot be discarded"):
        run_command("discard", started(corpus, endpoint).pk)


def test_calls_are_listed_opened_and_retried_by_cause_or_one_by_one(demo_model: DemoServer) -> None:
    demo_model.settings = DemoSettings(faults={"bad_request": 1.0})
    run = started(small_corpus(3), endpoint_at(demo_model.base_url))
    work(run)
    calls = run_command("calls", run.pk, "--state", "failed", "--outcome", "rejected", "--limit", 2, "--json")
    assert (len(calls["calls"]), calls["matching"]) == (2, 3)
    assert "rejected" in run_command("calls", run.pk)
    first = calls["calls"][0]["id"]
    assert run_command("call", first, "--json")["messages"][0]["role"] == "system"
    assert "--- reply (rejected)" in run_command("call", first)
    assert run_command("retry", run.pk, "--cause", "truncated", "--json")["calls"] == 0
    assert run_command("retry", run.pk, "--call", first, "--json")["calls"] == 1
    assert "2 calls sent again" in run_command("retry", run.pk)


def test_failed_calls_are_asked_anew_with_the_words_of_a_file(demo_model: DemoServer, tmp_path: Path) -> None:
    demo_model.settings = DemoSettings(faults={"truncated": 1.0})
    run = started(small_corpus(1), endpoint_at(demo_model.base_url))
    work(run)
    demo_model.settings = DemoSettings()
    (theme,) = [row for row in run_command("prompts", "--json")["prompts"] if row["stage"] == "theme"]
    edit = {"theme": {"prompt": {"system": theme["system"], "user": theme["user"] + "\nPlease be brief."}}}
    file = tmp_path / "edit.json"
    file.write_text(json.dumps(edit), encoding="utf-8")
    assert run_command("retry", run.pk, "--edit", file, "--json")["calls"] == 1
    assert run_command("start", run.pk, "--json")["done"] == 1
    for text, words in (("{broken", "not JSON"), ('{"theme": {"promt": {}}}', "no such field"), ("[]", "Invalid data")):
        file.write_text(text, encoding="utf-8")
        with pytest.raises(CommandError, match=words):
            run_command("retry", run.pk, "--edit", file)
    with pytest.raises(CommandError, match="cannot be read"):
        run_command("retry", run.pk, "--edit", tmp_path / "nowhere.json")
    assert "step_by_step" in run_command("sets")
    assert "--- user" in run_command("prompts")


def test_replies_are_read_again_with_another_threshold(demo_model: DemoServer) -> None:
    demo_model.settings = DemoSettings(faults={"lost_content": 1.0})
    run = started(small_corpus(2), endpoint_at(demo_model.base_url))
    work(run)
    would = run_command("reread", run.pk, "--keep-share", "0.1", "--dry-run", "--json")
    change = {"stage": "further_split", "before": "lost_content", "after": "ok", "kept": False, "calls": 2}
    assert (would["calls"], would["changes"], would["dry_run"], would["failed"]) == (2, [change], True, 2)
    said = run_command("reread", run.pk, "--keep-share", "0.1", "--dry-run")
    assert f"Run {run.pk}, Further-split (Stephanie): Lost content of γ → Usable: 2" in said
    assert "2 calls would change. Nothing was changed." in said
    assert run_command("status", run.pk, "--json")["failed"] == 2
    everywhere = run_command("reread", "--all", "--keep-share", "0.1", "--dry-run", "--json")
    assert [(row["run"], row["calls"]) for row in everywhere["runs"]] == [(run.pk, 2)]
    assert run_command("reread", "--all", "--dry-run") == "0 calls would change. Nothing was changed.\n"
    with pytest.raises(CommandError, match="Name one run"):
        run_command("reread")
    done = run_command("reread", run.pk, "--keep-share", "0.1", "--json")
    assert (done["calls"], done["changes"], done["dry_run"]) == (2, [change], False)
    assert run_command("status", run.pk, "--json")["failed"] == 0
    with pytest.raises(CommandError, match="from 0 to 1"):
        run_command("reread", run.pk, "--keep-share", "7")


def test_figures_of_one_run_and_of_several_side_by_side(demo_model: DemoServer) -> None:
    corpus, endpoint = small_corpus(2), endpoint_at(demo_model.base_url)
    runs = [started(corpus, endpoint), started(corpus, endpoint)]
    work(*runs)
    assert run_command("quality", runs[0].pk, "--json")["kept"][0]["kept"]["n"] == 2
    assert "How far dialogues came" in run_command("quality", runs[0].pk)
    pks = [run.pk for run in runs]
    assert run_command("compare", *pks, "--json")["runs"] == pks
    assert "words" in run_command("compare", *pks, "--shared-only").lower()
    other = started(small_corpus(1, name="Other"), endpoint)
    with pytest.raises(CommandError, match="different corpora"):
        run_command("compare", pks[0], other.pk)


def test_unanswered_calls_are_decided() -> None:
    run = started(small_corpus(3), endpoint_at(NOWHERE))
    run.calls.update(state=Call.State.AMBIGUOUS, outcome="ambiguous")
    first = run.calls.values_list("pk", flat=True)[0]
    assert run_command("decide", run.pk, "--resend", "--call", first, "--json")["calls"] == 1
    assert "2 calls given up" in run_command("decide", run.pk, "--give-up")
    with pytest.raises(CommandError, match="required"):
        run_command("decide", run.pk)


def test_what_a_run_wrote_is_exported_as_lines_that_can_be_imported(demo_model: DemoServer, tmp_path: Path) -> None:
    run = started(small_corpus(2), endpoint_at(demo_model.base_url))
    work(run)
    lines = run_command("export", run.pk).splitlines()
    assert len(lines) == 6
    assert all(isinstance(record, Record) for record in jsonl.parse(lines))
    assert json.loads(lines[0])["run"] == run.pk
    file = tmp_path / "out.jsonl"
    told = run_command("export", run.pk, "--version", "stephanie", "--output", file, "--json")
    assert told["lines"] == len(file.read_text().splitlines()) == 2
    with pytest.raises(CommandError, match="--force"):
        run_command("export", run.pk, "--output", file)
    with pytest.raises(CommandError, match="Available: "):
        run_command("export", run.pk, "--version", "nonsense")
    assert run_command("export", run.pk, "--judgements") == ""


def test_a_terminal_shows_everything_there_is_to_know() -> None:
    endpoint = endpoint_at(NOWHERE, price_in=10, price_out=30, max_in_flight=64)
    run = started(small_corpus(3), endpoint, budget=5, token_budget=100_000)
    call = run.calls.first()
    assert call is not None
    Call.objects.filter(pk=call.pk).update(state="failed", outcome="truncated", refusals=2)
    Endpoint.objects.update(in_flight_limit=7)
    text = "\n".join(lines_of(progress_of(fetched(run))))
    for words in (
        "0 of 3 dialogues", "2 waiting", "1 failed", "1 × Cut off at the length limit", "rate limit reached 2 times",
        "of $5.00 spent", "of 100,000 tokens", "Demo: 0 of 7 at once, lowered from 64 by rate limits", "calls/s",
    ):  # fmt: skip
        assert words in text


def test_a_log_file_gets_a_line_only_where_something_changed() -> None:
    run = started(small_corpus(1), endpoint_at(NOWHERE))
    log = StringIO()
    screen = Screen(log)
    progress = progress_of(fetched(run))
    screen.show(progress)
    screen.show(progress)
    assert log.getvalue().count("\n") == 1
    assert "\x1b" not in log.getvalue()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("status", "99"), "no run 99"),
        (("call", "99"), "no call 99"),
        (("create", "--corpus", "Nope", "--endpoint", "Demo"), "no corpus named 'Nope'. Available: Small"),
        (("create", "--corpus", "Small", "--endpoint", "Nope"), "no endpoint named"),
        (("create", "--corpus", "Small", "--endpoint", "Demo", "--stages", "pair"), "have no theme"),
        (("create", "--corpus", "Small", "--endpoint", "Demo", "--budget", "-1"), "--budget: .*greater than"),
        (("create", "--corpus", "Small", "--endpoint", "Demo", "--budget", "lots"), "not an amount of money"),
        (("create", "--corpus", "Small", "--endpoint", "Demo", "--set", "pair"), "not of the form NAME=NUMBER"),
        (("create", "--corpus", "Small", "--endpoint", "Demo", "--set", "nonsense=1"), "no such field"),
        (("create", "--corpus", "Small", "--endpoint", "Demo", "--dialogues", "0"), "--dialogues: .*greater than"),
    ],
)
def test_an_error_says_what_to_do(arguments: tuple[str, ...], words: str) -> None:
    example_sets.load_all()
    small_corpus(1)
    endpoint_at(NOWHERE)
    with pytest.raises(CommandError, match=words):
        run_command(*arguments)
    assert not Run.objects.exists()


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_what_a_model_wrote_does_not_steer_the_terminal_and_leaves_by_a_pipe_as_it_is() -> None:
    run = started(small_corpus(1), endpoint_at(NOWHERE))
    reply = "\x1b]52;c;cm0gLXJm\x07fine\x9b2J\r\tgood\nbye"
    run.calls.update(raw_reply=reply)
    shown = {stream: stream() for stream in (Terminal, StringIO)}
    for stream in shown.values():
        call_command("run", "call", str(run.calls.get().pk), stdout=stream)
    assert "�]52;c;cm0gLXJm�fine�2J�\tgood\nbye" in shown[Terminal].getvalue()
    assert reply in shown[StringIO].getvalue()
