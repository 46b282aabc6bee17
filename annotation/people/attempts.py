"""Limits on how often strangers from one network may try an address that asks for no password."""

from ipaddress import ip_address, ip_network

from django.core.cache import cache
from django.http import HttpRequest

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


def network_of(request: HttpRequest) -> str:
    """The sender's IPv4 address, or the /64 network of an IPv6 address, all of which one host may use; "" if unknown.

    Behind a proxy this is the proxy's address, unless TRUSTED_PROXIES names it (see `config.processes.web`).
    """
    try:
        address = ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return ""
    return str(address if address.version == 4 else ip_network((address, 64), strict=False))
