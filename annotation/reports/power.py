"""How many raters and backgrounds a study needs: what is assumed, what earlier ratings show, and the tables."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from annotation.design.plan import CLAIMS_ABOUT, PlannedPower, Population
from annotation.design.plan_values import MOST_BACKGROUNDS, MOST_RATERS
from annotation.models import Study
from annotation.reports.caching import once
from annotation.reports.models import mixed, reml
from annotation.reports.models.intervals import Unfit
from annotation.reports.models.power import STUDIES, Cell, Components, power_table
from annotation.reports.models.ratings import Ratings
from annotation.reports.models.selections import of_versions, rated_versions
from annotation.reports.models.sums import Sums, Term
from annotation.reports.scores import study_items, study_scores
from core.numbers import whole_number
from core.tables import Column, Table

MOST_SIZES = 8
# Where nobody says otherwise: about what dialogues of crowd-workers get on a scale from 1 to 5.
ASSUMED = Components(background=0.4, item=0.0, rater=0.35, rater_version=0.2, residual=1.1)
DEVIATIONS = {
    "background": "backgrounds (shared by all their versions)",
    "item": "dialogues beyond their backgrounds",
    "rater": "raters, who are more or less severe",
    "rater_version": "raters by version (how far a rater leans towards one)",
    "residual": "what is left between two ratings",
}


class PowerError(ValueError):
    """A table of power that cannot be made; the text says what to do."""


@dataclass(frozen=True, slots=True)
class PowerQuestion:
    """The sizes to compare, the `difference` to find in points of the scale, and what is assumed of the ratings."""

    raters: tuple[int, ...] = (3, 5, 10)
    backgrounds: tuple[int, ...] = (12, 24, 50, 100)
    difference: float = 0.3
    components: Components = ASSUMED
    population: Population = "like"
    studies: int = STUDIES
    seed: int = 1

    def cells(self) -> Iterator[Cell]:
        return power_table(
            self.components,
            self.raters,
            self.backgrounds,
            self.difference,
            population=self.population,
            studies=self.studies,
            seed=self.seed,
        )

    def planned(self, cell: Cell) -> PlannedPower:
        """What a plan of this size keeps; raises PowerError where it has no power."""
        if cell.power is None:
            raise PowerError("One rater or background says nothing of others. Choose a larger study.")
        return PlannedPower(
            raters=cell.raters,
            backgrounds=cell.backgrounds,
            difference=self.difference,
            power=cell.power,
            **asdict(self.components),
            studies=self.studies,
            seed=self.seed,
            population=self.population,
        )


def sizes(text: str, most: int) -> tuple[int, ...]:
    """The numbers in `3, 5, 10`, each once and in their order; raises PowerError."""
    found = sorted({whole_number(part) or 0 for part in text.replace(",", " ").split()})
    if not found or found[0] < 1 or found[-1] > most or len(found) > MOST_SIZES:
        raise PowerError(f"Give 1 to {MOST_SIZES} whole numbers from 1 to {most:,}, such as 3, 5, 10.")
    return tuple(found)


def rater_sizes(text: str) -> tuple[int, ...]:
    return sizes(text, MOST_RATERS)


def background_sizes(text: str) -> tuple[int, ...]:
    return sizes(text, MOST_BACKGROUNDS)


def power_tables(question: PowerQuestion, cells: Iterable[Cell]) -> list[Table]:
    """Power, half of the interval of the difference, and how far α scatters, each backgrounds × raters."""
    found, notes = list(cells), (assumptions(question),)
    gap, kind = f"{question.difference:g} points", CLAIMS_ABOUT[question.population]
    captions = {
        "power": f"Power: the share of studies that find a difference of {gap} at the 5 % level, for {kind}.",
        "half_width": f"Half the width of the 95 % interval of the difference, in points, for {kind}.",
        "alpha_width": "Krippendorff's α (interval) over both versions: width of the middle 95 % of simulated values.",
    }
    return [
        _table(
            name.replace("_", "-"), caption, question, [getattr(cell, name) for cell in found],
            notes if name == "power" else (),
        )
        for name, caption in captions.items()
    ]  # fmt: skip


def assumptions(question: PowerQuestion) -> str:
    assumed = asdict(question.components).items()
    deviations = ", ".join(f"{name.replace('_', ' × ')} {value:.3g}" for name, value in assumed)
    return (
        f"{question.studies:,} simulated studies a cell, seed {question.seed}, in which every rater scores both "
        f"versions of every background. Standard deviations in points: {deviations}."
    )


def _table(
    slug: str, caption: str, question: PowerQuestion, values: Sequence[float | None], notes: tuple[str, ...]
) -> Table:
    width = len(question.raters)
    columns = [
        Column("Backgrounds", numeric=False),
        *(Column(f"{count:,}", group="Raters") for count in question.raters),
    ]
    rows = [(count, *values[place * width : (place + 1) * width]) for place, count in enumerate(question.backgrounds)]
    return Table(slug, caption, tuple(columns), tuple(rows), notes)


def components_of(study: Study, metric: str) -> Components:
    """The standard deviations that the study's counted ratings show, by REML.

    Raises PowerError with the reason where they show none. They say nothing of which version is better, so a
    study stays blind.
    """
    if study.compares:
        raise PowerError("A study of pairs has no scores. Take a study of scores.")
    found = once("power", study, lambda: _fitted(study, metric), also=metric)
    if isinstance(found, str):
        raise PowerError(f"“{study.name}” does not show how far ratings spread: {found}")
    return found


def _fitted(study: Study, metric: str) -> Components | str:
    ratings = ratings_of(study, metric)
    fit = mixed.fit(ratings)
    if isinstance(fit, Unfit):
        return fit.reason
    if fit.criterion is None:
        return "each rater gave one value throughout."
    # mixed.fit has no items: its residual would hide the part of an item's effect that raters share.
    own = of_versions(ratings, rated_versions(ratings))
    deviations = np.sqrt(reml.fit(Sums.of(own), tuple(Term)).variances)
    return Components(*(float(value) for value in deviations))


def ratings_of(study: Study, metric: str) -> Ratings:
    """The study's counted scores of one metric; raises PowerError for a metric that it does not ask."""
    if metric not in {one.key for one in study.rubric.metric_list()}:
        known = ", ".join(one.key for one in study.rubric.metric_list())
        raise PowerError(f"“{study.name}” has no metric {metric!r}. Its metrics: {known}.")
    items = study_items(study)
    scores = study_scores(study, items, [metric])
    return Ratings.numbered(
        scores.value, items.version[scores.item], items.background[scores.item], scores.rater, len(items.versions)
    )
