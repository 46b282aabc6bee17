"""`manage.py example_set …`: list, export, import, clone and freeze sets of examples without a browser."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.db.models import Count

from core import commands
from core.commands import print_json, write_whole
from core.json_documents import DocumentError
from dialogues.transcript import text_problem
from generation.commandline.common import harmless
from generation.curation import versions
from generation.curation.document import NAME_LENGTH
from generation.curation.files import MOST_MEGABYTES, exported, import_set
from generation.curation.provenance import privacy_notices
from generation.example_sets import load_all
from generation.management.commands import load_examples
from generation.models import Example, ExampleKind, ExampleSet


class Command(commands.Command):
    help = "List, export, import, clone and freeze the sets of examples that models are shown."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        listing = _action(actions, "list", "all sets, without the copies that trials were made with", of_set=False)
        listing.add_argument("--kind", choices=ExampleKind.values, help="only sets of this kind")
        export = _action(actions, "export", "write a set as JSON, on stdout or in a file")
        export.add_argument("--output", type=Path, metavar="FILE", help="default: stdout")
        export.add_argument("--force", action="store_true", help="replace the file if it exists")
        take = _action(actions, "import", "make a draft from a JSON file, or say what is wrong with it", of_set=False)
        take.add_argument("file", type=Path, metavar="FILE", help="as export writes it; - reads stdin")
        take.add_argument("--name", default="", help="instead of the name that the file gives")
        clone = _action(actions, "clone", "make a draft with the same examples, as the next version of its name")
        clone.add_argument("--name", default="", help="under another name")
        _action(actions, "freeze", "freeze a set, so that nobody can change it any more")
        _action(actions, "load", "add the project's own sets and prompts where they are missing", of_set=False)

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.style_func = harmless
        getattr(self, f"_{options['action']}")(options)

    def _list(self, options: dict[str, Any]) -> None:
        kinds = [options["kind"]] if options["kind"] else ExampleKind.values
        rows = ExampleSet.objects.listed().filter(kind__in=kinds)
        sizes = dict(Example.objects.order_by().values_list("example_set").annotate(size=Count("pk")))
        if options["json"]:
            print_json(self, {"sets": [{**_told(row), "examples": sizes.get(row.pk, 0)} for row in rows]})
            return
        for row in rows:
            state = "frozen" if row.frozen_at else "draft"
            self.stdout.write(f"{row.pk:>5}  {row.kind:<14} {state:<7} {sizes.get(row.pk, 0):>4}  {row}")

    def _export(self, options: dict[str, Any]) -> None:
        row, path = _found(options["set"]), options["output"]
        for notice in privacy_notices(row):
            self.stderr.write(notice)
        if path is None:
            if options["json"]:
                raise CommandError("--json needs --output: the set itself goes to stdout.")
            self.stdout.write(exported(row), ending="")
            return
        write_whole(path, [exported(row)], replace=options["force"])
        self._tell(row, options, f"{row} is written to {path}.", file=str(path))

    def _import(self, options: dict[str, Any]) -> None:
        path, most = options["file"], MOST_MEGABYTES * 2**20 + 1
        try:
            if str(path) == "-":
                data = sys.stdin.buffer.read(most)
            else:
                with path.open("rb") as stream:
                    data = stream.read(most)
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
        try:
            row = import_set(data=data, by=None, name=_name(options))
        except DocumentError as error:
            raise CommandError("\n".join(["Nothing was imported.", *error.problems])) from error
        self._tell(row, options, f"{row} is a draft now, number {row.pk}.")

    def _clone(self, options: dict[str, Any]) -> None:
        source = _found(options["set"])
        row = versions.clone(example_set=source, name=_name(options) or source.name, by=None)
        self._tell(row, options, f"{row} is a draft with the examples of {source}, number {row.pk}.")

    def _freeze(self, options: dict[str, Any]) -> None:
        row = _found(options["set"])
        try:
            new = versions.freeze(example_set=row, by=None)
        except versions.EmptySetError as error:
            raise CommandError(str(error)) from error
        row.refresh_from_db()
        self._tell(row, options, f"{row} is frozen." if new else f"{row} was frozen already.")

    def _load(self, options: dict[str, Any]) -> None:
        load_examples.tell(self, load_all(), as_json=options["json"])

    def _tell(self, row: ExampleSet, options: dict[str, Any], words: str, **more: Any) -> None:
        if options["json"]:
            print_json(self, {**_told(row), **more})
        else:
            self.stdout.write(words)


def _action(actions: Any, name: str, words: str, *, of_set: bool = True) -> ArgumentParser:
    parser = commands.add_action(actions, name, words)
    if of_set:
        parser.add_argument("set", type=int, metavar="SET", help="the set's number; `example_set list` shows them")
    return parser


def _name(options: dict[str, Any]) -> str:
    name: str = options["name"].strip()
    if len(name) > NAME_LENGTH or text_problem(name):
        raise CommandError(f"The name must be a text of at most {NAME_LENGTH} characters.")
    return name


def _found(pk: int) -> ExampleSet:
    row = ExampleSet.objects.filter(pk=pk).first() if pk < 2**63 else None
    if row is None:
        raise CommandError(f"There is no example set {pk}; `manage.py example_set list` shows them all.")
    return row


def _told(row: ExampleSet) -> dict[str, Any]:
    return {
        "id": row.pk, "name": row.name, "kind": row.kind, "version": row.version, "note": row.note,
        "frozen_at": row.frozen_at, "parent": row.parent_id,
    }  # fmt: skip
