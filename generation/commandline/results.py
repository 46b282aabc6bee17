"""`run calls`, `call`, `export`, `prompts`, `sets`, `quality`, `compare`: what runs show, send, get and make."""

from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.commands import print_json, write_whole
from core.tables import to_text
from dialogues.models import Version
from generation.commandline.common import DONE, add_action, found_run
from generation.models import Call, ExampleSet, Prompt, Stage
from generation.results import exporting
from generation.results.run_quality import quality_of
from generation.results.run_quality_tables import comparison_tables, quality_json, quality_tables
from generation.serializers import (
    COLUMNS,
    NOTED,
    CallDetailSerializer,
    CallSerializer,
    ExampleSetSerializer,
    PromptSerializer,
    detailed,
)


def register(actions: Any) -> None:
    calls = add_action(actions, "calls", "the run's calls, the newest first", _calls)
    calls.add_argument("--stage", choices=Stage.values)
    calls.add_argument("--state", choices=Call.State.values)
    calls.add_argument("--outcome", metavar="NAME", help="like ok, truncated, unparsable")
    calls.add_argument("--branch", type=int, metavar="N", help="one of several writers, from 0")
    calls.add_argument("--dialogue", metavar="KEY", help="the key of the original")
    calls.add_argument("--noted", action="store_true", default=None, help="only where a note tells how it was read")
    calls.add_argument("--limit", type=int, default=50, metavar="N", help="at most this many (%(default)s); 0: all")
    call = add_action(actions, "call", "one call with what was sent and what came back", _call, of_run=False)
    call.add_argument("call", type=int, metavar="CALL", help="the call's number")
    add_action(actions, "prompts", "every version of every prompt", _prompts, of_run=False)
    add_action(actions, "sets", "every version of every example set", _sets, of_run=False)
    _export_arguments(add_action(actions, "export", "what the run wrote, as lines of JSON", _export))
    add_action(actions, "quality", "outcomes, lengths, turns and content kept, beside the paper's figures", _quality)
    compare = add_action(actions, "compare", "the writers of one or several runs side by side", _compare, of_run=False)
    compare.add_argument("runs", type=int, nargs="+", metavar="RUN", help="the runs' numbers")
    compare.add_argument("--shared-only", action="store_true", help="only backgrounds that every writer has written on")


def _export_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--version", dest="versions", action="append", metavar="VERSION", help="only this; repeatable")
    parser.add_argument("--judgements", action="store_true", help="the judges' scores instead of dialogues")
    parser.add_argument("--output", type=Path, metavar="FILE", help="default: stdout")
    parser.add_argument("--force", action="store_true", help="replace FILE if it exists")


def _calls(command: BaseCommand, options: dict[str, Any]) -> int:
    run = found_run(options["run"])
    wanted = {column: options[name] for name, column in COLUMNS.items() if options.get(name) is not None}
    rows = (
        run.calls.filter(NOTED[options["noted"]], **wanted)
        .select_related("alpha", "run_stage")
        .defer("raw_reply", "raw_body")
        .order_by("-pk")
    )
    shown = rows[: options["limit"]] if options["limit"] else rows
    if options["json"]:
        print_json(command, {"run": run.pk, "calls": CallSerializer(shown, many=True).data, "matching": rows.count()})
        return DONE
    for row in shown:
        became = row.outcome or row.state
        words = f"{row.pk:>8}  {row.stage:<13} {row.alpha.key:<20} {became:<18} {row.error}"
        command.stdout.write(words.replace("\n", " ")[:200].rstrip())
    return DONE


def _call(command: BaseCommand, options: dict[str, Any]) -> int:
    call = detailed(options["call"])
    if call is None:
        raise CommandError(f"There is no call {options['call']}; `manage.py run calls RUN` lists a run's.")
    answer = CallDetailSerializer(call).data
    if options["json"]:
        print_json(command, answer)
        return DONE
    for message in answer["messages"]:
        command.stdout.write(f"--- {message['role']}\n{message['content']}\n")
    came = answer["raw_reply"] or answer["raw_body"]
    told = f"{answer['error']}\n{answer['note']}".strip()
    command.stdout.write(f"--- reply ({answer['outcome'] or answer['state']})\n{came}\n{told}")
    return DONE


def _prompts(command: BaseCommand, options: dict[str, Any]) -> int:
    rows = Prompt.objects.kept()
    if options["json"]:
        print_json(command, {"prompts": PromptSerializer(rows, many=True).data})
        return DONE
    for row in rows:
        command.stdout.write(f"=== {row.pk}: {row}\n--- system\n{row.system}\n--- user\n{row.user}\n")
    return DONE


def _sets(command: BaseCommand, options: dict[str, Any]) -> int:
    rows = ExampleSet.objects.listed()
    if options["json"]:
        print_json(command, {"sets": ExampleSetSerializer(rows, many=True).data})
        return DONE
    for row in rows:
        command.stdout.write(f"{row.pk:>5}  {row.kind:<14} {row}")
    return DONE


def _export(command: BaseCommand, options: dict[str, Any]) -> int:
    run, path = found_run(options["run"]), options["output"]
    if run.corpus.privacy_notice:
        command.stderr.write(run.corpus.privacy_notice)
    lines = exporting.judgement_lines(run) if options["judgements"] else _outputs(run, options["versions"] or [])
    if path is None:
        if options["json"]:
            raise CommandError("--json needs --output: the lines themselves go to stdout.")
        for line in lines:
            command.stdout.write(line, ending="")
        return DONE
    count = write_whole(path, lines, replace=options["force"])
    if options["json"]:
        print_json(command, {"run": run.pk, "lines": count, "file": str(path)})
    else:
        command.stdout.write(f"{count:,} lines written to {path}.")
    return DONE


def _outputs(run: Any, versions: list[str]) -> Iterator[str]:
    known = list(Version.objects.values_list("pk", flat=True))
    for version in versions:
        if version not in known:
            raise CommandError(f"There is no version {version!r}. Available: {', '.join(known)}.")
    return exporting.output_lines(run, versions)


def _quality(command: BaseCommand, options: dict[str, Any]) -> int:
    quality = quality_of([found_run(options["run"])])
    if options["json"]:
        print_json(command, {"run": options["run"], **quality_json(quality)})
        return DONE
    for table in quality_tables(quality).values():
        command.stdout.write(to_text(table))
    return DONE


def _compare(command: BaseCommand, options: dict[str, Any]) -> int:
    runs = [found_run(pk) for pk in dict.fromkeys(options["runs"])]
    if len({run.corpus_id for run in runs}) > 1:
        raise CommandError("These runs are from different corpora. Choose runs from one corpus.")
    quality = quality_of(runs, shared_only=options["shared_only"])
    if options["json"]:
        print_json(command, {"runs": [run.pk for run in runs], **quality_json(quality)})
        return DONE
    for table in comparison_tables(quality).values():
        command.stdout.write(to_text(table))
    return DONE
