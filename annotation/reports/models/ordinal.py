"""Cumulative link mixed model of ordinal ratings: value ~ version + (1 | background) + (1 | rater). Pure.

Logit link and Laplace's approximation, as `clmm` of R's package ordinal fits it (Christensen 2022): what is assumed
of a scale is its order only. Standard errors come from the observed information.
"""

from dataclasses import dataclass
from itertools import combinations
from math import exp, sqrt

import numpy as np
from scipy.optimize import minimize
from scipy.special import logit, ndtr

from annotation.reports.bootstrap import CONFIDENCE, NORMAL, Floats, Ints
from annotation.reports.models.intervals import Unfit
from annotation.reports.models.ordinal_likelihood import Graded, Laplace
from annotation.reports.models.ratings import Ratings

# Where the search starts, and the standard deviation below which one counts as 0, on the scale of the logit.
START, NO_SPREAD = 0.5, 1e-3
GRADIENT_TOLERANCE = 1e-6
# The step for derivatives of the gradient.
APART = 1e-4
# No coefficient or standard deviation of a model that can be had is larger: e¹⁵ are odds of 3,000,000 to 1.
FURTHEST = 15.0
ALL_EQUAL = "All scores are equal, so there is nothing to compare."
ONE_VERSION = "Only one version has scores, so there is nothing to compare."
SEPARATED = (
    "Scores of versions, raters or backgrounds do not overlap, so no finite odds ratio describes their difference."
)


@dataclass(frozen=True, slots=True)
class OddsContrast:
    """The first version against the second on the scale of the logit; `odds_ratio` above 1 says that it scores higher.

    `odds_ratio` is e^estimate: the odds of a score above any point of the scale, with its 95 % interval from `low` to
    `high`. z and the two-sided p are Wald's.
    """

    first: int
    second: int
    estimate: float
    se: float
    z: float
    p: float
    odds_ratio: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class OrdinalFit:
    """`values` (K,) are the scores that occur, `thresholds` (K − 1,) stand between them.

    `effects` (versions,) are against the first version that has ratings; NaN for versions without any. `covariance` is
    (versions, versions), NaN likewise. Standard deviations are of backgrounds and raters, on the scale of the logit.
    """

    values: Floats
    thresholds: Floats
    effects: Floats
    covariance: Floats
    background_sd: float
    rater_sd: float
    log_likelihood: float

    @property
    def errors(self) -> Floats:
        """(versions,) standard errors of the effects; 0 for the first."""
        return np.asarray(np.sqrt(np.diagonal(self.covariance)))

    def contrast(self, first: int, second: int) -> OddsContrast | None:
        """None if one of the versions has no ratings."""
        estimate = float(self.effects[first] - self.effects[second])
        if np.isnan(estimate):
            return None
        c = self.covariance
        se = sqrt(float(c[first, first] + c[second, second] - 2 * c[first, second]))
        z, reach = estimate / se, NORMAL.inv_cdf((1 + CONFIDENCE) / 2) * se
        return OddsContrast(
            first, second, estimate, se, z, 2 * float(ndtr(-abs(z))),
            exp(estimate), exp(estimate - reach), exp(estimate + reach),
        )  # fmt: skip

    def contrasts(self) -> list[OddsContrast]:
        """All pairs of versions that have ratings, in their order."""
        pairs = combinations(range(len(self.effects)), 2)
        return [found for pair in pairs if (found := self.contrast(*pair))]


def fit(ratings: Ratings) -> OrdinalFit | Unfit:
    """The model by maximum likelihood, or why it cannot be had."""
    if why := _why_not(ratings):
        return Unfit(why)
    values, category = np.unique(ratings.value, return_inverse=True)
    present, version = np.unique(ratings.version, return_inverse=True)
    data = Graded(
        category.astype(np.int64), version.astype(np.int64), ratings.background, ratings.rater,
        len(values), len(present), ratings.backgrounds, ratings.raters,
    )  # fmt: skip
    criterion = Laplace(data)
    found = minimize(criterion, _start(data), jac=True, method="BFGS", options={"gtol": GRADIENT_TOLERANCE})
    at = np.asarray(found.x, dtype=np.float64)
    at[-2:] = np.abs(at[-2:])
    covariance = _covariance(criterion, at)
    if covariance is None or np.abs(at[data.categories - 1 :]).max() > FURTHEST:
        return Unfit(SEPARATED)
    return _result(data, values, present, ratings.versions, at, covariance, float(-found.fun))


def _why_not(ratings: Ratings) -> str:
    if len(np.unique(ratings.value)) < 2:
        return ALL_EQUAL
    present = np.unique(ratings.version)
    if len(present) < 2:
        return ONE_VERSION
    lows = np.array([ratings.value[ratings.version == one].min() for one in present])
    highs = np.array([ratings.value[ratings.version == one].max() for one in present])
    return SEPARATED if _separated(lows, highs) else ""


def _separated(lows: Floats, highs: Floats) -> bool:
    """Whether some versions' scores all lie at or below those of all others, which sends a coefficient to infinity.

    Versions are sorted by their lowest score; a group below the others is then a head of the list. The search would
    find the same, after seconds on its way there.
    """
    order = np.lexsort((highs, lows))
    below, above = np.maximum.accumulate(highs[order])[:-1], lows[order][1:]
    return bool((below <= above).any())


def _start(data: Graded) -> Floats:
    """Thresholds of the scores taken together, no effects, and moderate standard deviations."""
    shares = np.cumsum(np.bincount(data.category, minlength=data.categories))[:-1] / len(data.category)
    thresholds = logit(shares)
    steps = np.log(np.diff(thresholds))
    return np.concatenate([thresholds[:1], steps, np.zeros(data.versions - 1), [START, START]])


def _covariance(criterion: Laplace, at: Floats) -> Floats | None:
    """The inverse of the observed information in all parameters; None where it is not positive definite.

    A standard deviation of 0 is taken as known: the likelihood is even in it, so it does not bear on the others.
    """
    free = np.ones(len(at), dtype=np.bool_)
    free[-2:] = at[-2:] > NO_SPREAD
    steps = APART * np.eye(len(at))[free]
    rows = [(criterion(at + step)[1] - criterion(at - step)[1]) / (2 * APART) for step in steps]
    information = np.array(rows)[:, free]
    try:
        np.linalg.cholesky(information)
    except np.linalg.LinAlgError:
        return None
    found = np.zeros((len(at), len(at)))
    found[np.ix_(free, free)] = np.linalg.inv((information + information.T) / 2)
    return found


def _result(
    data: Graded, values: Floats, present: Ints, versions: int, at: Floats, covariance: Floats, height: float
) -> OrdinalFit:
    parts = data.parts(at)
    effects, of_effects = np.full(versions, np.nan), np.full((versions, versions), np.nan)
    effects[present] = parts.effects
    inner = np.zeros((data.versions, data.versions))
    inner[1:, 1:] = covariance[data.categories - 1 : -2, data.categories - 1 : -2]
    of_effects[np.ix_(present, present)] = inner
    return OrdinalFit(values, parts.thresholds, effects, of_effects, parts.background, parts.rater, height)
