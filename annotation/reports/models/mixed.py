"""The linear mixed model of ratings without items, which stands beside the primary analysis (`with_items`). Pure.

value ~ version + (1 | background) + (1 | rater) + (1 | rater:version) by REML, as lme4 fits it (Bates et al. 2015),
with Satterthwaite's degrees of freedom as lmerTest gives them (Kuznetsova et al. 2017). Where the variance of raters ×
versions is estimated as nought these would take it for known, so they are capped by those of `crossed`. The model has
no effect of items: a background whose one version turned out well by chance counts as many ratings, not as one
dialogue.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from annotation.reports.bootstrap import Floats
from annotation.reports.models import crossed, reml
from annotation.reports.models.intervals import Interval, Pair, Target, Unfit
from annotation.reports.models.ratings import Ratings
from annotation.reports.models.satterthwaite import observed
from annotation.reports.models.selections import constant_raters, of_versions, rated_versions, varies
from annotation.reports.models.sums import Sums, Term
from annotation.reports.models.with_items import modelled, of_constant_raters
from core.intervals import NO_SPREAD

EFFECTS = (Term.BACKGROUND, Term.RATER, Term.RATER_VERSION)
ONE_VERSION = "Fewer than two versions have ratings, so there is nothing to compare."
ONE_RATER = "Fewer than two raters gave ratings, so nothing can be said of raters."
ONE_BACKGROUND = "The ratings are of fewer than two backgrounds, so nothing can be said of backgrounds."
ALL_EQUAL = "All ratings are equal, so there is no spread to model."
TOO_FEW = "There are too few ratings to tell backgrounds, raters and error apart."
NOT_CROSSED = "No rater scored two versions, so versions cannot be told from raters."
NO_RATER_SPREAD = "the raters' variance is estimated as nought"


@dataclass(frozen=True, slots=True)
class Variances:
    """In squared points of the scale."""

    background: float
    rater: float
    rater_version: float
    residual: float


@dataclass(frozen=True, slots=True)
class MixedFit:
    """The fitted model. Versions and raters are numbered as in its `Ratings`; a version without ratings is left out.

    `means` are by version, over raters and backgrounds like these; a contrast (first, second) is second minus first,
    for all pairs. `severity` (raters,) is by how much a rater scores above all, shrunk as far as chance explains it
    (best linear unbiased prediction), with an interval that takes the variances as known. `criterion` is lme4's REML
    criterion, None where the likelihood has no maximum: if each rater gave one value throughout. `singular` says that
    a variance is estimated as nought.
    """

    criterion: float | None
    variances: Variances
    singular: bool
    means: Mapping[int, Interval]
    contrasts: Mapping[Pair, Interval]
    severity: tuple[Interval, ...]


def fit(ratings: Ratings) -> MixedFit | Unfit:
    """The model, or the reason why these ratings have none."""
    versions = rated_versions(ratings)
    if why := _why_unfit(ratings, len(versions)):
        return Unfit(why)
    own = of_versions(ratings, versions)
    if (constants := constant_raters(own)) is not None:
        return _of_constants(own, constants, versions)
    sums = Sums.of(own)
    if why := _why_not_told_apart(sums):
        return Unfit(why)
    fitted = reml.fit(sums, EFFECTS)
    spread = observed(fitted)
    means = {number: modelled(fitted, row, spread.df(row)) for number, row in _rows(versions).items()}
    contrasts = {pair: modelled(fitted, row, spread.df(row)) for pair, row in _pairs(versions).items()}
    nought = fitted.deviations == 0
    if nought[Term.RATER_VERSION]:
        known = crossed.difference_intervals(ratings, list(contrasts))
        contrasts = {pair: _capped(found, known[pair][0]) for pair, found in contrasts.items()}
    if nought[[Term.RATER, Term.RATER_VERSION]].any():
        level = crossed.mean_intervals(ratings)
        means = {version: _capped(found, level[version][0]) for version, found in means.items()}
    background, _, rater, rater_version, residual = (float(variance) for variance in fitted.variances)
    return MixedFit(
        fitted.criterion,
        Variances(background, rater, rater_version, residual),
        bool(nought[list(EFFECTS)].any()),
        means,
        contrasts,
        _severity(fitted),
    )


def _why_unfit(ratings: Ratings, versions: int) -> str:
    """Why there is no model, empty if there may be one."""
    if versions < 2:
        return ONE_VERSION
    if ratings.raters < 2:
        return ONE_RATER
    if ratings.backgrounds < 2:
        return ONE_BACKGROUND
    return "" if varies(ratings.value) else ALL_EQUAL


def _why_not_told_apart(sums: Sums) -> str:
    if not ((sums.counts.sum(axis=0) > 0).sum(axis=0) > 1).any():
        return NOT_CROSSED
    enough = sums.told_apart(EFFECTS)[list(EFFECTS)].all() and sums.spare > len(EFFECTS) + 1
    return "" if enough else TOO_FEW


def _rows(versions: list[int]) -> dict[int, Floats]:
    """What each version's mean is of the (versions,) fitted means."""
    return dict(zip(versions, np.eye(len(versions)), strict=True))


def _pairs(versions: list[int]) -> dict[Pair, Floats]:
    rows = _rows(versions)
    return {(first, second): rows[second] - rows[first] for first, second in combinations(versions, 2)}


def _capped(found: Interval, known: Interval) -> Interval:
    """With no more degrees of freedom than the crossed form has."""
    if found.value is None or found.se is None or found.df is None or known.df is None or known.df >= found.df:
        return found
    return Interval.of(found.value, found.se**2, known.df, found.target)


def _severity(fitted: reml.Fitted) -> tuple[Interval, ...]:
    """γ Z'P value with prediction error variance σ²(γ − γ² Z'PZ) (Henderson 1975)."""
    ratio, point, scale = fitted.deviations[Term.RATER] ** 2, fitted.point, fitted.sums.scale
    raters = len(point.rater_effects)
    if ratio == 0:
        return tuple(Interval.none(0, Target.THESE_RATERS, NO_RATER_SPREAD) for _ in range(raters))
    effects = scale * ratio * point.rater_effects
    errors = scale**2 * fitted.error * np.maximum(ratio - ratio**2 * np.diag(point.rater_errors), 0)
    return tuple(
        Interval.of(float(effect), float(error), fitted.sums.spare, Target.THESE_RATERS)
        for effect, error in zip(effects, errors, strict=True)
    )


def _of_constants(ratings: Ratings, own: Floats, versions: list[int]) -> MixedFit:
    """Each rater (raters,) gave one value throughout: raters vary, and nothing else does."""
    return MixedFit(
        None,
        Variances(0, float(own.var(ddof=1)), 0, 0),
        True,
        {number: of_constant_raters(ratings, own, row) for number, row in _rows(versions).items()},
        {pair: of_constant_raters(ratings, own, row) for pair, row in _pairs(versions).items()},
        tuple(Interval.none(float(effect), Target.THESE_RATERS, NO_SPREAD) for effect in own - own.mean()),
    )
