"""A recipe in words, for the page of its set and for a terminal."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from dialogues.models import Corpus, Version
from dialogues.sources import Sources
from generation.training import filters
from generation.training.recipe import Recipe


class Fact(NamedTuple):
    label: str
    words: str


def facts_of(recipe: Recipe, corpus: Corpus) -> list[Fact]:
    """What was chosen, in the order in which it takes effect."""
    return [
        Fact("Takes", _taken(recipe)),
        Fact("Written by", Sources.of(recipe.sources).words(corpus) or "any writer and run"),
        Fact("Filters", "; ".join(_filters(recipe)) or "none"),
        Fact("The model plays", " and ".join(f"speaker {side}" for side in recipe.sides)),
        Fact("Delimiter", recipe.delimiter.replace("\n", "⏎")),
        Fact("Before a first turn of the model", recipe.opener or "nothing: that turn is cut"),
        Fact("Held out", f"{recipe.validation:.0%} for validation, {recipe.test:.0%} for testing"),
        Fact("Seed", str(recipe.seed)),
    ]


def counts_in_words(counts: dict[str, Any]) -> Iterator[str]:
    """The counts of a survey, a line each."""
    yield f"{counts['candidates']:,} dialogues of these versions and sources"
    for step in counts["filters"]:
        yield f"  {step['label']}: drops {step['dropped']:,}, leaves {step['left']:,}"
    for row in counts["refused"]:
        yield f"  Refused in {row['dialogues']:,} dialogues ({', '.join(row['keys'])}): {row['words']}"
    for row in counts["cut"]:
        yield f"  Cut: {row['turns']:,} {row['words']}"
    for split, row in counts["splits"].items():
        sizes = f"{row['examples']:,} examples of {row['dialogues']:,} dialogues"
        yield f"{split}: {sizes} on {row['backgrounds']:,} backgrounds"
    yield from _lengths(counts["tokens"])
    if counts["labels"]["demo"]:
        yield "Some texts were written by demo rules, not a language model."
    if counts["labels"]["simulated"]:
        yield "Simulated scores had a say in what was taken."


def _lengths(tokens: dict[str, Any]) -> Iterator[str]:
    sizes = f"{tokens['total']:,} tokens, {tokens['longest']:,} in the longest example"
    yield f"{sizes} (an estimate: four characters a token)"
    for row in tokens["cut"]:
        yield f"  at {row['length']:,}: {row['examples']:,} examples are cut, {row['tokens']:,} tokens lost"


def _taken(recipe: Recipe) -> str:
    names = {row.pk: f"{row.symbol} ({row.name})" for row in Version.objects.all()}
    if recipe.kind == "dialogues":
        return ", ".join(names.get(slug, slug) for slug in recipe.versions)
    shared = ", where the same words came before" if recipe.shared_words_only else ""
    if recipe.preferred_by == "version":
        return f"{names.get(recipe.better, recipe.better)} over {names.get(recipe.worse, recipe.worse)}{shared}"
    of = ", ".join(names.get(slug, slug) for slug in recipe.versions)
    who = filters.SCORES[recipe.preferred_by].label.lower() if recipe.preferred_by in filters.SCORES else "score"
    return f"The best over the worst of {of}, by {who} on {recipe.metric}, {recipe.margin:g} apart{shared}"


def _filters(recipe: Recipe) -> Iterator[str]:
    return (one.words(value) for one, value in filters.chosen(recipe.filters))
