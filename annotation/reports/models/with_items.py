"""The mixed model with items: the primary analysis of differences, and of means in tables with gaps. Pure.

value ~ version + (1 | background) + (1 | background:version) + (1 | rater) + (1 | rater:version), by REML, for raters
like these. An item is a background's version: without its effect, ten ratings of one lucky dialogue would look like ten
confirmations. Degrees of freedom come from the expected information in the variances, so that a variance estimated as
nought is not taken for known; in complete tables that is the analysis of variance's answer. How often it holds is
measured in docs/method/coverage.md.
"""

from collections.abc import Mapping
from functools import cached_property

import numpy as np

from annotation.reports.bootstrap import Floats
from annotation.reports.models import reml
from annotation.reports.models.intervals import (
    NO_ERROR,
    NO_RATINGS,
    NOT_LINKED,
    ONE_BACKGROUND,
    ONE_RATER,
    TOO_FEW_RATINGS,
    Interval,
    Target,
)
from annotation.reports.models.ratings import Ratings
from annotation.reports.models.satterthwaite import Spread, expected
from annotation.reports.models.selections import constant_raters, linked, of_versions, rated_versions, summed, varies
from annotation.reports.models.sums import Sums, Term
from core.intervals import NO_SPREAD

LIKE_THESE = Target.RATERS_LIKE_THESE
EFFECTS = (Term.BACKGROUND, Term.ITEM, Term.RATER, Term.RATER_VERSION)
# An error's variance below this share of all is only what the bounds of the search leave.
LEAST_ERROR = 3e-6


def why_none(raters: int, backgrounds: int, is_flat: bool) -> str:
    """Why there is no interval for raters like these; empty if there may be one."""
    if raters < 2:
        return ONE_RATER
    if backgrounds < 2:
        return ONE_BACKGROUND
    return NO_SPREAD if is_flat else ""


def of_constant_raters(ratings: Ratings, own: Floats, contrast: Floats) -> Interval:
    """Where each rater gave one value (raters,) to everything: versions that raters link do not differ.

    A mean varies only with the raters; a difference has no spread.
    """
    total = float(contrast.sum())
    labels = linked(ratings)
    if len(np.unique(labels[contrast != 0])) > 1:
        return Interval.none(None, LIKE_THESE, NOT_LINKED)
    if why := why_none(len(own), ratings.backgrounds, is_flat=total == 0 or not varies(own)):
        return Interval.none(total * float(own.mean()), LIKE_THESE, why)
    variance = total**2 * float(own.var(ddof=1)) / len(own)
    return Interval.of(total * float(own.mean()), variance, len(own) - 1, LIKE_THESE)


class ItemModel:
    """The fit, made when it is first asked for; an interval for each weighted sum of versions' means."""

    def __init__(self, ratings: Ratings) -> None:
        self.versions = rated_versions(ratings)
        self.ratings = of_versions(ratings, self.versions)

    @cached_property
    def fitted(self) -> reml.Fitted:
        return reml.fit(Sums.of(self.ratings), EFFECTS)

    @cached_property
    def spread(self) -> Spread:
        return expected(self.fitted)

    def interval(self, weights: Mapping[int, float]) -> Interval:
        """Of Σ weight · mean over the versions named."""
        ratings = self.ratings
        if not set(weights) <= set(self.versions):
            return Interval.none(None, LIKE_THESE, NO_RATINGS)
        contrast = np.array([weights.get(version, 0) for version in self.versions], dtype=np.float64)
        if (own := constant_raters(ratings)) is not None:
            return of_constant_raters(ratings, own, contrast)
        if why := why_none(ratings.raters, ratings.backgrounds, is_flat=False):
            return Interval.none(float(contrast @ plain_means(ratings)), LIKE_THESE, why)
        if len(ratings.value) - ratings.versions <= len(EFFECTS):
            return Interval.none(float(contrast @ plain_means(ratings)), LIKE_THESE, TOO_FEW_RATINGS)
        return modelled(self.fitted, contrast, self.spread.df(contrast))


def modelled(fitted: reml.Fitted, contrast: Floats, df: float) -> Interval:
    """Of a contrast (versions,) of the fitted means."""
    value = float(contrast @ fitted.means)
    if fitted.error <= LEAST_ERROR:
        return Interval.none(value, LIKE_THESE, NO_ERROR)
    return Interval.of(value, float(contrast @ fitted.covariance @ contrast), df, LIKE_THESE)


def plain_means(ratings: Ratings) -> Floats:
    """(versions,) of the ratings as they are; every version must have one."""
    counts = summed(ratings.version, ratings.versions)
    return np.asarray(summed(ratings.version, ratings.versions, ratings.value) / counts)
