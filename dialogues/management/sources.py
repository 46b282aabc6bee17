"""Options of commands by which dialogues are chosen: one for every question of `dialogues.sources`."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from dialogues.models import Corpus, Version
from dialogues.sources import FACETS, Sources, UnknownSourceError


def add_source_arguments(parser: ArgumentParser, **names: tuple[str, ...]) -> None:
    """`--run`, `--set` and so on, each as often as wanted; `names` are other spellings by facet."""
    which = parser.add_argument_group("whose dialogues (default: everybody's; originals always belong to it)")
    for name, facet in FACETS.items():
        which.add_argument(
            *names.get(name, (f"--{name}",)),
            dest=f"by_{name}",
            action="append",
            default=[],
            type=int if facet.is_number else str,
            metavar="N" if facet.is_number else "NAME",
            help=f"only of this {facet.label.lower()}; repeatable",
        )


def sources_of(options: dict[str, Any], corpus: Corpus) -> Sources:
    """What was chosen; raises CommandError for what the corpus does not have."""
    try:
        return Sources.of({name: options[f"by_{name}"] for name in FACETS}).check(corpus)
    except UnknownSourceError as error:
        raise CommandError(str(error)) from error


def versions_of(options: dict[str, Any], corpus: Corpus) -> tuple[str, ...]:
    """The named versions; raises CommandError for one that the corpus does not have."""
    known = list(Version.objects.filter(dialogues__corpus=corpus).distinct().values_list("pk", flat=True))
    for slug in options["versions"]:
        if slug not in known:
            raise CommandError(f"The corpus has no version {slug!r}. There is: {', '.join(known) or 'none'}.")
    return tuple(options["versions"])
