"""What cumulative link mixed models of a study cost. Run by hand from the checkout:

    python -m tests.benchmarks.ordinal_model [--items 400] [--raters 3] [--metrics 6]

Four versions a background, a scale from 1 to 5. The rival is the ordinal model of statsmodels, which has no effects of
backgrounds and raters.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from statsmodels.miscmodels.ordinal_model import OrderedModel

from annotation.reports.models.intervals import Unfit
from annotation.reports.models.ordinal import fit
from annotation.reports.models.ratings import Ratings

VERSIONS = 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=400)
    parser.add_argument("--raters", type=int, default=3)
    parser.add_argument("--metrics", type=int, default=6)
    options = parser.parse_args()
    studies = [simulated(seed, options.items // VERSIONS, options.raters) for seed in range(options.metrics)]
    print(f"{options.metrics} metrics of {len(studies[0].value):,} ratings by {options.raters} raters")
    measure("cumulative link mixed models", lambda: [fit(one) for one in studies])
    measure("ordinal models of statsmodels", lambda: [rival(one) for one in studies])


def measure(name: str, work: Callable[[], list[Any]]) -> None:
    started = time.perf_counter()
    found = work()
    spent = time.perf_counter() - started
    print(f"{name:32} {spent:8.2f} s in all, {sum(not isinstance(one, Unfit) for one in found)} fitted")


def rival(ratings: Ratings) -> Any:
    versions = np.eye(VERSIONS)[ratings.version][:, 1:]
    return OrderedModel(ratings.value, versions, distr="logit").fit(method="bfgs", disp=False)


def simulated(seed: int, backgrounds: int, raters: int) -> Ratings:
    rng = np.random.default_rng(seed)
    background, version, rater = (one.ravel() for one in np.indices((backgrounds, VERSIONS, raters)))
    place = 0.5 * rng.normal(size=backgrounds)[background] + 0.4 * rng.normal(size=raters)[rater] + 0.3 * version
    value = np.clip(np.rint(2.5 + place + rng.normal(size=len(place))), 1, 5)
    return Ratings.numbered(value, version, background, rater, VERSIONS)


if __name__ == "__main__":
    main()
