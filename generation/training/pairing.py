"""Which dialogue a preference set takes over which on the same background."""

from collections import defaultdict
from collections.abc import Iterator

from dialogues.models import Corpus, DialogueQuerySet
from generation.families import Member, members
from generation.training import filters
from generation.training.recipe import Recipe, RecipeError

# The primary keys of the better and the worse dialogue.
Pair = tuple[int, int]


def pairs_of(recipe: Recipe, corpus: Corpus, rows: DialogueQuerySet, worse: DialogueQuerySet | None) -> Iterator[Pair]:
    """Pairs of these dialogues with one of `worse`; without `worse` of each other, by score. Raises RecipeError."""
    return _by_score(recipe, corpus, rows) if worse is None else _by_version(rows, worse)


def _by_version(better: DialogueQuerySet, worse: DialogueQuerySet) -> Iterator[Pair]:
    """Each better dialogue with the worse one of the same writer and run, else with the latest of its background."""
    others: dict[int, list[Member]] = defaultdict(list)
    for row in members(worse):
        others[row.original].append(row)
    for row in members(better):
        found = others.get(row.original)
        if found:
            yield row.pk, max(found, key=lambda other: (other.source == row.source, other.pk)).pk


def _by_score(recipe: Recipe, corpus: Corpus, rows: DialogueQuerySet) -> Iterator[Pair]:
    """The highest score of each background over its lowest; of equal ones the older dialogue."""
    source = filters.SCORES.get(recipe.preferred_by)
    if source is None:
        raise RecipeError("preferred_by", "Nobody here gives such scores. Choose a version over another.")
    source.check(corpus, recipe.metric)
    means = dict(source.means(corpus, recipe.metric).values_list("dialogue", "mean"))
    by_background: dict[int, list[tuple[float, int]]] = defaultdict(list)
    for row in members(rows):
        if row.pk in means:
            by_background[row.original].append((means[row.pk], row.pk))
    for scored in by_background.values():
        (high, better), (low, worse) = max(scored, key=lambda one: (one[0], -one[1])), min(scored)
        if high > low and high - low >= recipe.margin:
            yield better, worse
