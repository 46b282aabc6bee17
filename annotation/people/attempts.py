"""How often strangers from one network may knock at a door that asks for no password."""

from django.core.cache import cache

MOST = 60
MINUTES = 5


def too_many(door: str, network: str) -> bool:
    """Count a try; True once there were more than `MOST` from this network within `MINUTES`.

    A class room of raters shares one address, so the limit is wide. Counted in the cache: for all processes together
    where REDIS_URL is set, else for each by itself.
    """
    key = f"door:{door}:{network}"
    if cache.add(key, 1, MINUTES * 60):
        return False
    try:
        return int(cache.incr(key)) > MOST
    except ValueError:  # It ran out between the two.
        return False
