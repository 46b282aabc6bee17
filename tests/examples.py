"""How many examples a property is tried with: fewer beside other tests, all of them by hand.

`HYPOTHESIS_PROFILE=long pytest …` is the long form.
"""

import os

from hypothesis import HealthCheck, settings

IS_LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"

# A busy machine draws examples slowly, which says nothing about the product.
PATIENT = [HealthCheck.too_slow]
settings.register_profile("short", max_examples=50, suppress_health_check=PATIENT)
settings.register_profile("long", max_examples=500, suppress_health_check=PATIENT)
settings.load_profile("long" if IS_LONG else "short")


def many(count: int) -> int:
    """`count` in the long form, otherwise a fifth of it."""
    return count if IS_LONG else count // 5
