"""How often strangers from one network may try an address that asks for no password."""

from django.core.cache import cache

MOST = 60
MINUTES = 5


def too_many(kind: str, network: str) -> bool:
    """Count a try; True after more than `MOST` tries of this kind from this network within `MINUTES`.

    A classroom of raters shares one address, so the limit is generous. The cache counts for all processes together when
    REDIS_URL is set, otherwise for each process separately.
    """
    key = f"attempts:{kind}:{network}"
    if cache.add(key, 1, MINUTES * 60):
        return False
    try:
        return int(cache.incr(key)) > MOST
    except ValueError:  # The key expired between the two calls.
        return False
