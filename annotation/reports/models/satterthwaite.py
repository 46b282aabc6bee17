"""Satterthwaite's (1946) degrees of freedom of a contrast after a REML fit. Pure.

df = 2v²/(g'Ag), v being the contrast's variance, g its gradient in the parameters and A the parameters' covariance.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotation.reports.bootstrap import Floats
from annotation.reports.models import likelihood
from annotation.reports.models.reml import Fitted, curvature
from annotation.reports.models.sums import Term

# How far apart, as a share of a variance, the points of numerical derivatives are.
APART = 1e-4


@dataclass(frozen=True, slots=True)
class Spread:
    """The parameters' covariance A, and how a gradient comes from the `gains` of effects: `slopes` · gains.

    The error's share of the gradient is `own` · v₀ − `shared` · gains, v₀ being the contrast's variance relative to it.
    """

    fitted: Fitted
    terms: NDArray[np.intp]
    covariance: Floats
    slopes: Floats
    own: float
    shared: Floats

    def df(self, contrast: Floats) -> float:
        """Of a contrast (versions,) of the fitted means."""
        point, error = self.fitted.point, self.fitted.error
        unit = float(contrast @ point.covariance @ contrast)
        gains = np.array([contrast @ gain @ contrast for gain in point.gains[self.terms]])
        gradient = np.append(self.slopes * gains, self.own * unit - self.shared @ gains)
        return 2 * (error * unit) ** 2 / float(gradient @ self.covariance @ gradient)


def observed(fitted: Fitted) -> Spread:
    """As lmerTest has it (Kuznetsova et al. 2017): parameters are the standard deviations of effects and error.

    A is twice the inverse Hessian of the deviance. Effects that were found without variance do not enter.
    """
    point, spare, error = fitted.point, fitted.sums.spare, fitted.error
    free = fitted.deviations > 0
    deviations = fitted.deviations[free]
    bends = np.zeros((len(deviations) + 1, len(deviations) + 1))
    # The profile's curvature is the deviance's with the error taken out, which is put back here.
    mixed = 4 * deviations * point.pulls[free] / error**1.5
    bends[-1, -1] = 4 * spare / error
    bends[-1, :-1] = bends[:-1, -1] = mixed
    if len(deviations):
        profile = curvature(fitted.sums, fitted.deviations, fitted.sought, free)
        bends[:-1, :-1] = profile + np.outer(mixed, mixed) / bends[-1, -1]
    return Spread(
        fitted,
        np.flatnonzero(free),
        2 * np.asarray(np.linalg.pinv(bends, hermitian=True), dtype=np.float64),
        slopes=2 * error * deviations,
        own=2 * float(np.sqrt(error)),
        shared=np.zeros(len(deviations)),
    )


def expected(fitted: Fitted) -> Spread:
    """Parameters are the variances, A the inverse of their expected information (Giesbrecht & Burns 1985).

    Effects that were sought and found without variance enter as not known to have none. For a complete table this is
    the analysis of variance's answer: with raters × versions without variance, what it would be just above nought.
    """
    terms = np.flatnonzero(fitted.sought)
    inverse = np.asarray(np.linalg.pinv(_information(fitted, terms), hermitian=True), dtype=np.float64)
    shared = fitted.deviations[terms] ** 2
    return Spread(fitted, terms, fitted.error**2 * inverse, np.ones(len(terms)), own=1.0, shared=shared)


def _information(fitted: Fitted, terms: NDArray[np.intp]) -> Floats:
    """(terms + 1, terms + 1) expected information in the variances of `terms` and error, times the error's variance².

    ½ tr(P ZZ' P ZZ') is minus half the derivative of tr(Z'PZ); PVP = P gives the error's row from the others.
    """
    ratios, rows = fitted.deviations**2, []
    for term in terms:
        step = np.zeros(len(Term))
        step[term] = APART * max(ratios[term], 1 / fitted.sums.largest[term])
        ends = (ratios + step, ratios - step)
        above, below = (likelihood.at(fitted.sums, near, bool(fitted.sought[Term.ITEM])).traces for near in ends)
        rows.append(-((above - below) / (2 * step[term]))[terms])
    products = np.array(rows).reshape(len(terms), len(terms))
    products = (products + products.T) / 2
    traces = fitted.point.traces[terms]
    with_error = traces - products @ ratios[terms]
    own = fitted.sums.spare - ratios[terms] @ traces - ratios[terms] @ with_error
    return np.asarray(np.block([[products, with_error[:, None]], [with_error[None, :], np.array([[own]])]]) / 2)
