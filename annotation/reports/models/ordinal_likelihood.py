"""The likelihood of the cumulative link mixed model in Laplace's approximation, with its gradient. Pure.

P(value ≤ k) = F(θ_k − η), F the logistic distribution and η = β[version] + σ_b z[background] + σ_r z[rater], with z
standard normal (McCullagh 1980; Tutz & Hennevogl 1996). Laplace's approximation to the log-likelihood is

    Σ log p − ½ |ẑ|² − ½ log |D|,    D = I + S Zᵀ W Z S,

at the effects ẑ that maximise the first two terms, with W the negative second derivatives of log p by η. The first
threshold is free, and every further one adds an exponential, so that thresholds stay in order.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import expit, log_expit

from annotation.reports.bootstrap import Floats, Ints

NEWTON_STEPS, HALVINGS = 60, 30
# A step of Newton's method that moves no standardised effect by more is the last: the next would be its square.
STILL = 1e-7
# The logarithm of the widest step between thresholds that is told apart from an infinite one.
WIDEST = 40.0


@dataclass(frozen=True, slots=True)
class Graded:
    """Columns (n,) of ratings: `category` from 0 to `categories` − 1, `version` from 0 to `versions` − 1, and so on."""

    category: Ints
    version: Ints
    background: Ints
    rater: Ints
    categories: int
    versions: int
    backgrounds: int
    raters: int

    @property
    def parameters(self) -> int:
        """Thresholds, the versions' effects but the first, and two standard deviations."""
        return self.categories - 1 + self.versions - 1 + 2

    def parts(self, at: Floats) -> "Parts":
        split = self.categories - 1
        thresholds = at[0] + np.concatenate(([0.0], np.cumsum(np.exp(np.minimum(at[1:split], WIDEST)))))
        return Parts(thresholds, np.concatenate(([0.0], at[split:-2])), float(at[-2]), float(at[-1]))


class Parts(NamedTuple):
    """The parameters: (categories − 1,) thresholds, (versions,) effects, and standard deviations, which may be < 0."""

    thresholds: Floats
    effects: Floats
    background: float
    rater: float


class Effects(NamedTuple):
    """Standardised effects of (backgrounds,) and (raters,)."""

    background: Floats
    rater: Floats


class Slopes(NamedTuple):
    """By rating (n,): F and F' at the upper and the lower threshold, and the derivative of log p by η."""

    upper: Floats
    lower: Floats
    upper_density: Floats
    lower_density: Floats
    score: Floats

    @property
    def weight(self) -> Floats:
        """−d² log p / dη²"""
        return self.upper_density + self.lower_density


class Precision:
    """D in blocks: diagonal for backgrounds, dense for raters, which Schur's complement makes small to invert."""

    def __init__(self, data: Graded, weight: Floats, parts: Parts) -> None:
        b, r = parts.background, parts.rater
        cells = np.bincount(data.background * data.raters + data.rater, weight, data.backgrounds * data.raters)
        table = cells.reshape(data.backgrounds, data.raters)
        self.diagonal = 1 + b**2 * table.sum(axis=1)
        self.scaled = b * r * table / self.diagonal[:, None]
        block = np.diag(1 + r**2 * table.sum(axis=0)) - b * r * table.T @ self.scaled
        self.inner = np.linalg.inv(block)
        self.log_determinant = float(np.log(self.diagonal).sum() + np.linalg.slogdet(block)[1])

    def solve(self, right: Effects) -> Effects:
        rater = self.inner @ (right.rater - self.scaled.T @ right.background)
        return Effects(right.background / self.diagonal - self.scaled @ rater, rater)

    def covariances(self, data: Graded) -> tuple[Floats, Floats, Floats]:
        """By rating (n,): the entries of D⁻¹ for its background, its background with its rater, and its rater."""
        mixed = self.scaled @ self.inner
        own = 1 / self.diagonal + (mixed * self.scaled).sum(axis=1)
        return own[data.background], -mixed[data.background, data.rater], np.diagonal(self.inner)[data.rater]


class Laplace:
    """The approximate negative log-likelihood and its gradient; a search for modes starts where the last ended."""

    def __init__(self, data: Graded) -> None:
        self.data = data
        self.modes = Effects(np.zeros(data.backgrounds), np.zeros(data.raters))

    def __call__(self, at: Floats) -> tuple[float, Floats]:
        data, parts = self.data, self.data.parts(at)
        self.modes = self._searched(parts)
        slopes = self._slopes(parts, self.modes)
        precision = Precision(data, slopes.weight, parts)
        value = self._joint(parts, self.modes) - precision.log_determinant / 2
        return -value, -self._gradient(at, parts, slopes, precision)

    def _linear(self, parts: Parts, effects: Effects) -> Floats:
        own = self._by_rating(effects)
        found: Floats = parts.effects[self.data.version] + parts.background * own.background + parts.rater * own.rater
        return found

    def _between(self, parts: Parts, effects: Effects) -> tuple[Floats, Floats]:
        """The upper and lower threshold of each rating's category, minus η; infinite at both ends of the scale."""
        bounds, linear = np.concatenate(([-np.inf], parts.thresholds, [np.inf])), self._linear(parts, effects)
        return bounds[self.data.category + 1] - linear, bounds[self.data.category] - linear

    def _joint(self, parts: Parts, effects: Effects) -> float:
        upper, lower = self._between(parts, effects)
        gaps = np.log(-np.expm1(-_widths(parts)))[self.data.category]
        found = log_expit(upper) + log_expit(-lower) + gaps
        return float(found.sum() - sum((part**2).sum() for part in effects) / 2)

    def _slopes(self, parts: Parts, effects: Effects) -> Slopes:
        upper, lower = (expit(bound) for bound in self._between(parts, effects))
        return Slopes(upper, lower, upper * (1 - upper), lower * (1 - lower), upper + lower - 1)

    def _sums(self, by_rating: Floats, parts: Parts) -> Effects:
        """S Zᵀ times a column."""
        data = self.data
        by_background = np.asarray(np.bincount(data.background, by_rating, data.backgrounds), dtype=np.float64)
        by_rater = np.asarray(np.bincount(data.rater, by_rating, data.raters), dtype=np.float64)
        return Effects(parts.background * by_background, parts.rater * by_rater)

    def _searched(self, parts: Parts) -> Effects:
        """The modes by Newton's method, halving steps that do not climb."""
        at = self.modes
        height = self._joint(parts, at)
        for _ in range(NEWTON_STEPS):
            slopes = self._slopes(parts, at)
            uphill = Effects(*(a - b for a, b in zip(self._sums(slopes.score, parts), at, strict=True)))
            step = Precision(self.data, slopes.weight, parts).solve(uphill)
            if max(float(np.abs(part).max()) for part in step) < STILL:
                return Effects(*(a + b for a, b in zip(at, step, strict=True)))
            at, height = self._damped(parts, at, step, height)
        return at

    def _damped(self, parts: Parts, at: Effects, step: Effects, height: float) -> tuple[Effects, float]:
        """The first of the step, its half, its quarter … that climbs, and the height reached."""
        share = 1.0
        for _ in range(HALVINGS):
            after = Effects(*(a + share * b for a, b in zip(at, step, strict=True)))
            reached = self._joint(parts, after)
            if reached >= height:
                break
            share /= 2
        return after, reached

    def _gradient(self, at: Floats, parts: Parts, slopes: Slopes, precision: Precision) -> Floats:
        """By the parameters `at`; modes move with them, which counts through log |D| alone."""
        data, weight, score = self.data, slopes.weight, slopes.score
        b, r = parts.background, parts.rater
        bend_up = slopes.upper_density * (1 - 2 * slopes.upper)
        bend_low = slopes.lower_density * (1 - 2 * slopes.lower)
        own, shared, raters = precision.covariances(data)
        leverage = b**2 * own + 2 * b * r * shared + r**2 * raters
        moved = self._by_rating(precision.solve(self._sums(-leverage * (bend_up + bend_low), parts)))
        modes = self._by_rating(self.modes)
        pull = b * moved.background + r * moved.rater
        linear = score + (leverage * (bend_up + bend_low) + weight * pull) / 2
        by_background = linear @ modes.background - weight @ (b * own + r * shared) - score @ moved.background / 2
        by_rater = linear @ modes.rater - weight @ (b * shared + r * raters) - score @ moved.rater / 2
        crowded = _crowded(parts)[data.category]
        upper = 1 - slopes.upper + crowded - (leverage * bend_up + pull * slopes.upper_density) / 2
        lower = -slopes.lower - crowded - (leverage * bend_low + pull * slopes.lower_density) / 2
        by_version = np.bincount(data.version, linear, data.versions)[1:]
        return np.concatenate([self._by_threshold(at, upper, lower), by_version, [by_background, by_rater]])

    def _by_rating(self, effects: Effects) -> Effects:
        """(n,) and (n,): each rating's background's and rater's entry."""
        return Effects(effects.background[self.data.background], effects.rater[self.data.rater])

    def _by_threshold(self, at: Floats, upper: Floats, lower: Floats) -> Floats:
        """By the first threshold and by the logarithms of the steps between thresholds."""
        data = self.data
        size = data.categories
        found = np.bincount(data.category, upper, size)[:-1] + np.bincount(data.category, lower, size)[1:]
        tails = np.cumsum(found[::-1])[::-1]
        return np.concatenate([tails[:1], tails[1:] * np.exp(np.minimum(at[1 : size - 1], WIDEST))])


def _widths(parts: Parts) -> Floats:
    """(categories,) distances between the thresholds of each category; infinite at both ends of the scale."""
    return np.concatenate(([np.inf], np.diff(parts.thresholds), [np.inf]))


def _crowded(parts: Parts) -> Floats:
    """(categories,) the derivative of log(1 − e^−width) by the width."""
    widths = _widths(parts)
    return np.asarray(np.exp(-widths) / -np.expm1(-widths))
