"""Where a request comes from, as far as limits go."""

from ipaddress import ip_address, ip_network

from django.http import HttpRequest


def network_of(request: HttpRequest) -> str:
    """The sender's IPv4 address, or the /64 of an IPv6 address, of which one connection has them all; "" if unknown.

    Behind a proxy this is the proxy, unless TRUSTED_PROXIES names it (see `config.processes.web`).
    """
    try:
        address = ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return ""
    return str(address if address.version == 4 else ip_network((address, 64), strict=False))
