"""Restricted maximum likelihood (REML) for a linear mixed model of ratings. Pure.

The search is over standard deviations relative to the error's, bounded by nought, so that an effect can be found to
have no variance at all. It starts at the best of a fixed grid and draws nothing at random: the same ratings give the
same result. Sources: Patterson & Thompson 1971; Bates et al. 2015 (the criterion).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from annotation.reports.bootstrap import Floats
from annotation.reports.models import likelihood
from annotation.reports.models.likelihood import Point
from annotation.reports.models.sums import Sums, Term

STARTS = (0.15, 0.6)
MOST = 1e3
# A standard deviation of less than this share of the error's is nought; lme4 calls such a fit singular.
NOUGHT = 1e-4
# How far apart the points of numerical derivatives are.
APART = 1e-4
POLISHING_STEPS = 4
CLOSE_ENOUGH = 1e-7


@dataclass(frozen=True, slots=True)
class Fitted:
    """The maximum: `deviations` (terms,) are standard deviations relative to the error's, 0 also where not sought.

    `error` is the error's variance in the units of `sums`.
    """

    sums: Sums
    sought: NDArray[np.bool_]
    deviations: Floats
    point: Point
    criterion: float

    @property
    def error(self) -> float:
        return self.point.error / self.sums.spare

    @property
    def variances(self) -> Floats:
        """(terms + 1,) in squared units of the ratings; the last is the error's."""
        found: Floats = np.append(self.deviations**2, 1) * self.error * self.sums.scale**2
        return found

    @property
    def means(self) -> Floats:
        """(versions,)"""
        found: Floats = self.sums.centre + self.sums.scale * self.point.means
        return found

    @property
    def covariance(self) -> Floats:
        """(versions, versions) of the means."""
        found: Floats = self.point.covariance * self.error * self.sums.scale**2
        return found


def fit(sums: Sums, wanted: tuple[Term, ...]) -> Fitted:
    """The REML fit with those of the `wanted` effects whose variances these ratings can tell apart."""
    sought = sums.told_apart(wanted)
    deviations = _searched(sums, sought)
    while len(grows := _growing(sums, deviations, sought)):
        again = _descended(sums, _raised(sums, deviations, sought, int(grows[0])), sought)
        if _value(sums, again) >= _value(sums, deviations):
            break
        deviations = again
    deviations = _polished(sums, np.where(deviations < NOUGHT, 0, deviations), sought)
    return Fitted(sums, sought, deviations, _point(sums, deviations, sought), _lme4_criterion(sums, deviations))


def _point(sums: Sums, deviations: Floats, sought: NDArray[np.bool_]) -> Point:
    return likelihood.at(sums, deviations**2, bool(sought[Term.ITEM]))


def _profile(sums: Sums, point: Point) -> float:
    """−2 log restricted likelihood without constants, at the best error variance."""
    return point.logs + sums.spare * float(np.log(point.error))


def _value(sums: Sums, deviations: Floats) -> float:
    return _profile(sums, likelihood.at(sums, deviations**2, False))


def _lme4_criterion(sums: Sums, deviations: Floats) -> float:
    """As lme4 prints it, in the units of the ratings."""
    constant = 1 + np.log(2 * np.pi / sums.spare) + 2 * np.log(sums.scale)
    return _value(sums, deviations) + sums.spare * float(constant)


def _slopes(sums: Sums, point: Point) -> Floats:
    """(terms,) the profile's derivatives in the relative variances."""
    found: Floats = point.traces - sums.spare / point.error * point.pulls
    return found


def _searched(sums: Sums, sought: NDArray[np.bool_]) -> Floats:
    starts = [np.where(sought, start, 0.0) for start in STARTS]
    best = min(starts, key=lambda start: _value(sums, start))
    return _descended(sums, best, sought) if sought.any() else best


def _descended(sums: Sums, start: Floats, sought: NDArray[np.bool_]) -> Floats:
    """The minimum that a bounded quasi-Newton search reaches from `start`."""

    def criterion(free: Floats) -> tuple[float, Floats]:
        deviations = np.zeros(len(Term))
        deviations[sought] = free
        point = _point(sums, deviations, sought)
        return _profile(sums, point), (2 * deviations * _slopes(sums, point))[sought]

    bounds = [(0, MOST)] * int(sought.sum())
    found = optimize.minimize(
        criterion, start[sought], jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-13, "gtol": 1e-6}
    )
    deviations = np.zeros(len(Term))
    deviations[sought] = found.x
    return deviations


def _growing(sums: Sums, deviations: Floats, sought: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Effects found to have no variance although more than none would be likelier, the surest first.

    Nought is a stationary point in the deviations, where a search may end that stepped too far.
    """
    nought = sought & (deviations < NOUGHT)
    slopes = _slopes(sums, _point(sums, np.where(nought, 0, deviations), sought))
    grows = np.flatnonzero(nought & (slopes < -CLOSE_ENOUGH))
    return grows[np.argsort(slopes[grows])]


def _raised(sums: Sums, deviations: Floats, sought: NDArray[np.bool_], place: int) -> Floats:
    """With the likeliest deviation of one effect, the others being as they are."""

    def raised(logarithm: float) -> Floats:
        return np.where(np.arange(len(Term)) == place, np.exp(logarithm), deviations)

    found = optimize.minimize_scalar(
        lambda logarithm: _value(sums, raised(logarithm)),
        bounds=(np.log(NOUGHT), np.log(MOST)),
        method="bounded",
        options={"xatol": 0.05},
    )
    return raised(float(found.x))


def _polished(sums: Sums, deviations: Floats, sought: NDArray[np.bool_]) -> Floats:
    """After Newton steps in the effects that have a variance, while they lead down."""
    value = _value(sums, deviations)
    for _ in range(POLISHING_STEPS):
        free = (deviations > 0) & (deviations < MOST)
        slope = (2 * deviations * _slopes(sums, _point(sums, deviations, sought)))[free]
        if not free.any() or np.abs(slope).max() < CLOSE_ENOUGH:
            break
        after = deviations.copy()
        after[free] -= np.linalg.pinv(curvature(sums, deviations, sought, free)) @ slope
        if (after < 0).any() or (lower := _value(sums, after)) > value:
            break
        deviations, value = after, lower
    return deviations


def curvature(sums: Sums, deviations: Floats, sought: NDArray[np.bool_], free: NDArray[np.bool_]) -> Floats:
    """(free, free) second derivatives of the profile in the deviations."""
    rows = []
    for place in np.flatnonzero(free):
        step = np.zeros(len(Term))
        step[place] = APART * max(1.0, deviations[place])
        ends = (deviations + step, deviations - step)
        above, below = (2 * near * _slopes(sums, _point(sums, near, sought)) for near in ends)
        rows.append(((above - below) / (2 * step[place]))[free])
    found = np.array(rows)
    return np.asarray((found + found.T) / 2)
