"""`training list`, `build`, `show`, `delete`: training sets and what is in them."""

import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.commands import ExitCode, print_json
from dialogues.models import Corpus
from dialogues.sources import FACETS, Sources
from generation.commandline.training.common import add_action, add_set, found_set
from generation.models import TrainingSet
from generation.plans.plan_input import named
from generation.plans.run_plan import PlanError
from generation.training import filters
from generation.training.building import SetInUseError, build, delete_set
from generation.training.recipe import Recipe, RecipeError
from generation.training.recipe_words import counts_in_words, facts_of
from generation.training.surveying import Tell, survey

# Choices of a recipe that an option gives as they are.
PLAIN = (
    "kind", "versions", "preferred_by", "better", "worse", "metric", "margin", "shared_words_only", "sides",
    "delimiter", "opener", "validation", "test", "seed",
)  # fmt: skip


def register(actions: Any) -> None:
    add_action(actions, "list", "list the training sets", _list)
    parser = add_action(actions, "build", "choose dialogues of a corpus and freeze them as a training set", _build)
    parser.add_argument("--corpus", required=True, metavar="NAME")
    parser.add_argument("--name", required=True, metavar="SET", help="built again under one name, it is a new version")
    parser.add_argument("--dry-run", action="store_true", help="count everything and write nothing")
    _add_which(parser)
    _add_preferences(parser)
    _add_how(parser)
    add_set(add_action(actions, "show", "what is in a set, and what was left out", _show))
    add_set(add_action(actions, "delete", "delete a set that no training run uses", _delete))


def _add_which(parser: ArgumentParser) -> None:
    which = parser.add_argument_group("which dialogues")
    which.add_argument("--versions", nargs="+", metavar="VERSION", help="default: stephanie")
    for name, facet in FACETS.items():
        which.add_argument(
            f"--{name}", action="append", default=[], metavar="KEY", help=f"only of this {facet.label.lower()}; repeat"
        )
    usual = ", ".join(filters.usual_values())
    known = "; ".join(f"{one.name}: {one.label.lower()}" for one in filters.in_order())
    which.add_argument(
        "--filter", action="append", default=[], metavar="NAME[=VALUE]", dest="filters",
        help=f"repeat it; NAME=no switches one off, scores are METRIC:LEAST or METRIC:LEAST..MOST. {known}. "
        f"On unless switched off: {usual}",
    )  # fmt: skip


def _add_preferences(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("preferences")
    group.add_argument("--kind", choices=("dialogues", "preferences"))
    group.add_argument("--preferred-by", choices=("version", *filters.SCORES), help="default: version")
    group.add_argument("--better", metavar="VERSION", help="default: stephanie")
    group.add_argument("--worse", metavar="VERSION", help="default: beta")
    group.add_argument("--metric", help="of the scores that decide")
    group.add_argument("--margin", type=float, help="how far apart scores must be; default: 1")
    group.add_argument("--shared-words-only", action="store_true", help="only replies after the same words")


def _add_how(parser: ArgumentParser) -> None:
    how = parser.add_argument_group("how examples are written")
    how.add_argument("--side", type=int, choices=(1, 2), action="append", dest="sides", help="default: both")
    how.add_argument("--delimiter", help="between two messages of a turn; default: <|msg|>")
    how.add_argument("--system", metavar="FILE", help="a file with the system message, with placeholders")
    how.add_argument("--opener", help="what the user says where the model begins; default: its first turn is cut")
    how.add_argument("--validation", type=float, metavar="SHARE", help="default: 0.05")
    how.add_argument("--test", type=float, metavar="SHARE", help="default: 0.05")
    how.add_argument("--seed", type=int)


def _list(command: BaseCommand, options: dict[str, Any]) -> int:
    rows = TrainingSet.objects.select_related("corpus")
    if options["json"]:
        found = [{"set": row.pk, "name": row.name, "version": row.version, "state": row.state} for row in rows]
        print_json(command, {"sets": found})
        return ExitCode.DONE
    for row in rows:
        command.stdout.write(f"{row.pk:>5}  {row.get_state_display():<12} {row}  {row.corpus}")
    return ExitCode.DONE


def _build(command: BaseCommand, options: dict[str, Any]) -> int:
    try:
        corpus = named(Corpus, options["corpus"], "corpus")
        recipe = _recipe(corpus, options)
        if options["dry_run"]:
            counts = survey(recipe, corpus, tell=_teller(command)).counts()
            return _tell(command, options, corpus, recipe, {"set": None, "counts": counts})
        made = build(recipe, options["name"], by=None, tell=_teller(command))
    except (PlanError, RecipeError) as refused:
        raise CommandError(str(refused)) from refused
    return _tell_set(command, options, made)


def _recipe(corpus: Corpus, options: dict[str, Any]) -> Recipe:
    """Raises RecipeError."""
    given = {name: options[name] for name in PLAIN if options[name] is not None}
    if options["system"]:
        given["system"] = _text_of(Path(options["system"]))
    sources = Sources.of({name: options[name] for name in FACETS})
    values = filters.checked({**filters.usual_values(), **dict(map(_value, options["filters"]))}, corpus)
    return Recipe.of({**given, "corpus": corpus.pk, "sources": sources.as_json(), "filters": values})


def _value(given: str) -> tuple[str, Any]:
    name, _, text = given.partition("=")
    one = filters.named(name.strip())
    try:
        return one.name, None if text.strip().lower() == "no" else one.value.parse(text)
    except ValueError as error:
        raise RecipeError("filters", f"--filter {given}: {error}.") from None


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise CommandError(f"{path} cannot be read as text. Name a file with the system message.") from error


def _teller(command: BaseCommand) -> Tell:
    """A line that counts up, where somebody watches."""

    def tell(done: int) -> None:
        if sys.stderr.isatty():
            command.stderr.write(f"\r{done:,} dialogues", ending="")

    return tell


def _show(command: BaseCommand, options: dict[str, Any]) -> int:
    return _tell_set(command, options, found_set(options["set"]))


def _tell_set(command: BaseCommand, options: dict[str, Any], made: TrainingSet) -> int:
    about = {"set": made.pk, "name": made.name, "version": made.version, "sha256": made.sha256, "counts": made.counts}
    if not options["json"]:
        command.stdout.write(f"{made} (no. {made.pk}), SHA-256 {made.sha256}")
    return _tell(command, options, made.corpus, Recipe.of(made.recipe), about)


def _tell(command: BaseCommand, options: dict[str, Any], corpus: Corpus, recipe: Recipe, about: dict[str, Any]) -> int:
    if options["json"]:
        print_json(command, {**about, "corpus": corpus.name, "recipe": recipe.as_json()})
        return ExitCode.DONE
    for line in _lines(corpus, recipe, about["counts"]):
        command.stdout.write(line)
    return ExitCode.DONE


def _lines(corpus: Corpus, recipe: Recipe, counts: dict[str, Any]) -> Iterator[str]:
    yield from filter(None, (corpus.privacy_notice,))
    yield from (f"{fact.label}: {fact.words}" for fact in facts_of(recipe, corpus))
    yield from counts_in_words(counts)


def _delete(command: BaseCommand, options: dict[str, Any]) -> int:
    row = found_set(options["set"])
    key = row.pk
    try:
        delete_set(row, by=None)
    except SetInUseError as refused:
        raise CommandError(str(refused)) from refused
    if options["json"]:
        print_json(command, {"deleted": key})
    else:
        command.stdout.write(f"Deleted {row}.")
    return ExitCode.DONE
