"""Find the corpus that a command was asked for."""

from difflib import get_close_matches

from django.core.management.base import CommandError

from core.numbers import whole_number
from dialogues.models import Corpus


def corpus_named(name: str) -> Corpus:
    """The corpus of that name or number; CommandError names the nearest."""
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
