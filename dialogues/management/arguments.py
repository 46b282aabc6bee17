"""Arguments that commands share: a corpus, and options that choose whose dialogues of it."""

from argparse import ArgumentParser
from difflib import get_close_matches
from typing import Any

from django.core.management.base import CommandError

from core.numbers import whole_number
from dialogues.models import Corpus, Version
from dialogues.sources import FACETS, Sources, UnknownSourceError


def corpus_named(name: str) -> Corpus:
    """The corpus of that name or number; raises CommandError with the nearest names."""
    corpora = Corpus.objects.listed()
    found = corpora.filter(name=name).first()
    if found is None and (key := whole_number(name)) is not None:
        found = corpora.filter(pk=key).first()
    if found is not None:
        return found
    names = {known.casefold(): known for known in corpora.values_list("name", flat=True)}
    if not names:
        raise CommandError("There is no corpus yet. Import one with `manage.py corpus import FILE --corpus NAME`.")
    near = get_close_matches(name.casefold(), names, n=3, cutoff=0.5)
    near += [known for known in names if name.casefold() in known and known not in near]
    meant = near[:3] or sorted(names)[:5]
    listed = ", ".join(f"“{names[known]}”" for known in meant)
    hint = f"Did you mean {listed}?" if near else f"There are {listed}."
    raise CommandError(f"There is no corpus “{name}”. {hint}")


def add_source_arguments(parser: ArgumentParser, **names: tuple[str, ...]) -> None:
    """Add `--run`, `--set` and so on, all repeatable; `names` gives other spellings by facet."""
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
    """The chosen sources; raises CommandError for one that the corpus does not have."""
    try:
        return Sources.of({name: options[f"by_{name}"] for name in FACETS}).check(corpus)
    except UnknownSourceError as error:
        raise CommandError(str(error)) from error


def versions_of(options: dict[str, Any], corpus: Corpus) -> tuple[str, ...]:
    """The named versions; raises CommandError for one that the corpus does not have."""
    known = list(Version.objects.filter(dialogues__corpus=corpus).distinct().values_list("pk", flat=True))
    for slug in options["versions"]:
        if slug not in known:
            raise CommandError(f"The corpus has no version {slug!r}. Available: {', '.join(known) or 'none'}.")
    return tuple(options["versions"])
