"""Commands are `NOUN VERB`; their former names do the same, and one table says what they exit with."""

import json
import re
import sys
from argparse import ArgumentParser
from importlib import import_module
from pathlib import Path
from subprocess import PIPE, Popen

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command, get_commands, load_command_class

from core.commands import Command, ExitCode, Group, output_may_be_cut, write_whole
from dialogues.models import Corpus
from generation.models import ExampleSet

DOCUMENT = (Path(__file__).parents[2] / "docs" / "commands.md").read_text()
APPS = ("dialogues", "generation", "annotation", "demo")
OURS = {name: app for name, app in get_commands().items() if app in APPS}
# Django's own, with our triggers lifted.
OURS.pop("flush")
GROUPS = {name: load_command_class(app, name) for name, app in OURS.items()}
VERBS = [
    (noun, verb, command)
    for noun, group in GROUPS.items()
    if isinstance(group, Group)
    for verb, command in group.verbs.items()
]
FORMER = dict(re.findall(r"^\| `(\w+ [\w-]+)[^|]*\|[^|]*\| `(\w+)` \|$", DOCUMENT, re.M))
RENAMED = [(noun, verb, command) for noun, verb, command in VERBS if f"{noun} {verb}" in FORMER]


def options_of(parser: ArgumentParser) -> list[tuple[object, ...]]:
    return [
        (*action.option_strings, action.dest, action.default, action.required, action.help)
        for action in parser._actions
        if action.dest != "help"
    ]


def test_every_command_is_documented() -> None:
    documented = set(re.findall(r"^\| `(\w+)", DOCUMENT, re.M)) | set(FORMER.values())
    assert set(OURS) <= documented


def test_every_verb_is_documented() -> None:
    for noun, verb, _ in VERBS:
        assert re.search(rf"^\| `{noun} {verb}[` ]", DOCUMENT, re.M), f"{noun} {verb}"


@pytest.mark.parametrize(("noun", "verb", "command"), RENAMED, ids=[f"{noun} {verb}" for noun, verb, _ in RENAMED])
def test_a_former_name_takes_the_same_options(noun: str, verb: str, command: type[Command]) -> None:
    former = FORMER[f"{noun} {verb}"]
    assert import_module(f"{OURS[former]}.management.commands.{former}").Command is command
    parser = GROUPS[noun].create_parser("manage.py", noun)
    (verbs,) = [action for action in parser._actions if action.dest == "action"]
    alone = ArgumentParser()
    command().add_arguments(alone)
    assert options_of(verbs.choices[verb]) == options_of(alone)  # type: ignore[index]


def outcome(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[object, str, str]:
    """Exit code, stdout and stderr, as a shell would see them."""
    name, *rest = arguments
    command = load_command_class(OURS[name], name)
    # Wrong options then end the process, as they do in a shell.
    command._called_from_command_line = True
    code: object = ExitCode.DONE
    try:
        command.execute(**{"force_color": False, **vars(command.create_parser("manage.py", name).parse_args(rest))})
    except SystemExit as ended:
        code = ended.code
    except CommandError as error:
        code = error.returncode
        command.stderr.write(str(error))
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("now", "former", "arguments"),
    [
        (("corpus", "stats"), "corpus_stats", ("Chats", "--json")),
        (("corpus", "export"), "export_dialogues", ("Chats",)),
        (("corpus", "export"), "export_dialogues", ("Chats", "--json")),
        (("corpus", "split-baseline"), "split_baseline", ("Chats",)),
        (("corpus", "import"), "import_dialogues", ("none.jsonl", "--corpus", "New")),
        (("study", "create"), "create_study", ("--corpus", "None", "--versions", "alpha", "--name", "S")),
        (("study", "create"), "create_study", ("--design", "none.json")),
        (("study", "report"), "study_report", ("None",)),
        (("study", "export"), "export_ratings", ("None", "--out", "x.csv")),
        (("study", "remind"), "remind", ("None",)),
        (("restructuring", "export"), "export_restructurings", ()),
        (("people", "invite"), "invite", ("--role", "admin", "--base-url", "nowhere")),
        (("judgement", "report"), "judge_report", ("Chats", "--json")),
        (("demo", "simulate-ratings"), "simulate_ratings", ("None",)),
        (("demo", "serve-model"), "demo_model", ("--latency", "-1")),
    ],
)
def test_a_former_name_says_and_exits_with_the_same(
    capsys: pytest.CaptureFixture[str], now: tuple[str, ...], former: str, arguments: tuple[str, ...]
) -> None:
    Corpus.objects.create(name="Chats")
    assert outcome(capsys, *now, *arguments) == outcome(capsys, former, *arguments)


def test_an_unknown_verb_and_a_wrong_option_exit_with_the_code_for_wrong_input(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for arguments in (("corpus", "sing"), ("corpus", "stats", "--loud"), ("corpus_stats", "--loud")):
        assert outcome(capsys, *arguments)[0] == ExitCode.WRONG_INPUT


@pytest.mark.django_db
def test_the_projects_examples_load_under_both_names(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("example_set", "load", "--json")
    assert json.loads(capsys.readouterr().out)["added"]
    assert ExampleSet.objects.exists()
    assert outcome(capsys, "load_examples") == outcome(capsys, "example_set", "load")


def test_the_documents_table_of_exit_codes_is_the_codes() -> None:
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", DOCUMENT, re.M)
    assert rows == [(str(code.value), code.meaning) for code in ExitCode]


def test_help_ends_with_the_exit_codes() -> None:
    helped = " ".join(GROUPS["create_study"].create_parser("manage.py", "create_study").format_help().split())
    assert helped.endswith("3 the run paused, or the study is not ready to launch.")
    assert "4 the run finished" not in helped


def test_a_command_ends_in_silence_where_its_output_is_cut() -> None:
    command = (sys.executable, "manage.py", "shell", "-c", "for number in range(300_000): print(number)")
    with Popen(command, cwd=settings.BASE_DIR, stdout=PIPE, stderr=PIPE) as running:
        assert running.stdout is not None
        running.stdout.readline()
        running.stdout.close()
        assert running.stderr is not None
        assert (running.stderr.read(), running.wait()) == (b"", 141)


def test_a_broken_connection_is_no_cut_output() -> None:
    with pytest.raises(BrokenPipeError), output_may_be_cut():
        raise BrokenPipeError


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    assert write_whole(path, ["a\n", "b\n"], replace=False) == 2
    with pytest.raises(CommandError, match="exists"):
        write_whole(path, ["c"], replace=False)

    def breaking() -> object:
        yield "c"
        raise KeyError

    with pytest.raises(KeyError):
        write_whole(path, breaking(), replace=True)  # type: ignore[arg-type]
    assert path.read_text() == "a\nb\n"
    assert list(tmp_path.iterdir()) == [path]
