"""Which dialogues a recipe takes: corpus, versions, sources, then filters in order, each counting what it drops."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from dialogues.models import Corpus, DialogueQuerySet, PersonalData
from dialogues.sources import Sources, UnknownSourceError
from generation.training import filters
from generation.training.pairing import pairs_of
from generation.training.recipe import Recipe, RecipeError


class Planned(NamedTuple):
    """One item to be, by what sorts it; `worse` is the dialogue that it is preferred to."""

    background: str
    version: str
    key: str
    dialogue: int
    worse: int | None = None


class Step(NamedTuple):
    """What one filter dropped, and how many dialogues (pairs, once they are formed) it left."""

    name: str
    label: str
    dropped: int
    left: int


@dataclass(frozen=True, slots=True)
class Chosen:
    """`planned` in the order of the set's items, the same on every database."""

    candidates: int
    steps: tuple[Step, ...]
    planned: Sequence[Planned]
    is_simulated: bool


def choose(recipe: Recipe, corpus: Corpus) -> Chosen:
    """Raises RecipeError where nothing is left, or nothing may be taken."""
    _refuse_without_consent(corpus)
    values = filters.checked(recipe.filters, corpus)
    rows = _candidates(recipe, corpus)
    candidates = left = rows.count()
    if not candidates:
        raise RecipeError("versions", f"{corpus.name} has no dialogue of these versions and sources. Choose others.")
    steps = []
    for one, value in filters.chosen(values):
        rows = one.narrow(rows, value, corpus)
        before, left = left, rows.count()
        steps.append(Step(one.name, one.words(value), before - left, left))
    planned = _planned(recipe, corpus, rows)
    if recipe.kind == "preferences":
        steps.append(Step("pairs", _pairing_words(recipe), left - len(planned), len(planned)))
    if not planned:
        raise RecipeError("filters", _nothing_left(steps))
    return Chosen(candidates, tuple(steps), planned, _is_simulated(recipe, corpus, values))


def _refuse_without_consent(corpus: Corpus) -> None:
    if corpus.personal_data == PersonalData.YES and not corpus.consent:
        raise RecipeError(
            "corpus",
            f"{corpus.name} holds personal data, and no consent is recorded. Ask the people, import the corpus with "
            "the consent they gave, and choose that one.",
        )


def _candidates(recipe: Recipe, corpus: Corpus) -> DialogueQuerySet:
    there = set(corpus.dialogues.order_by().values_list("version", flat=True).distinct())
    for slug in recipe.wanted_versions:
        if slug not in there:
            known = ", ".join(sorted(there)) or "none"
            raise RecipeError("versions", f"{corpus.name} has no version {slug!r}. Available: {known}.")
    versions = [recipe.better] if _is_by_version(recipe) else recipe.versions
    return _sources(recipe, corpus).narrow(corpus.dialogues.filter(version__in=versions))


def _sources(recipe: Recipe, corpus: Corpus) -> Sources:
    try:
        return Sources.of(recipe.sources).check(corpus)
    except UnknownSourceError as error:
        raise RecipeError("sources", str(error)) from error


def _planned(recipe: Recipe, corpus: Corpus, rows: DialogueQuerySet) -> list[Planned]:
    if recipe.kind == "dialogues":
        fields = rows.order_by().values_list("pk", "key", "version", "origin__key")
        return sorted(Planned(origin or key, version, key, pk) for pk, key, version, origin in fields.iterator())
    others = _sources(recipe, corpus).narrow(corpus.dialogues.filter(version=recipe.worse))
    pairs = pairs_of(recipe, corpus, rows, others if _is_by_version(recipe) else None)
    names = {}
    for pk, key, version, origin in rows.order_by().values_list("pk", "key", "version", "origin__key").iterator():
        names[pk] = (origin or key, version, key)
    return sorted(Planned(*names[better], better, worse) for better, worse in pairs)


def _is_by_version(recipe: Recipe) -> bool:
    return recipe.kind == "preferences" and recipe.preferred_by == "version"


def _pairing_words(recipe: Recipe) -> str:
    if recipe.preferred_by == "version":
        return f"With a dialogue of {recipe.worse} on the same background"
    who = filters.SCORES[recipe.preferred_by].label.lower()
    return f"Best and worst of a background, by {who} on {recipe.metric}, at least {recipe.margin:g} apart"


def _nothing_left(steps: Sequence[Step]) -> str:
    most = max(steps, key=lambda step: step.dropped, default=None)
    if most is None or not most.dropped:
        return "No dialogue is left. Choose other versions or sources."
    return f"No dialogue is left; “{most.label}” dropped most of them ({most.dropped:,}). Loosen or leave out a filter."


def _is_simulated(recipe: Recipe, corpus: Corpus, values: dict[str, object]) -> bool:
    """Whether simulated scores had a say."""
    asked = [(name, value["metric"]) for name, value in values.items() if isinstance(value, dict)]
    if recipe.kind == "preferences" and recipe.preferred_by != "version":
        asked.append((recipe.preferred_by, recipe.metric))
    return any(filters.SCORES[name].simulated(corpus, metric) for name, metric in asked)
