"""Which addresses an endpoint may have: public hosts, and hosts that an operator allows. Pure."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit, urlunsplit

# What documentation shows after the base address.
_OPERATIONS = (["chat", "completions"], ["completions"], ["responses"], ["messages"], ["embeddings"], ["models"])
DEFAULT_PORTS = {"http": 80, "https": 443}
# The only IPv6 addresses that lead to the public internet, and the ranges whose last 32 bits are an IPv4 address:
# compatible, mapped (RFC 4291), translated (RFC 2765), NAT64 (RFC 6052).
PUBLIC_IPV6 = IPv6Network("2000::/3")
HOLDERS_OF_IPV4 = tuple(map(IPv6Network, ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96")))
# ISATAP: these 32 bits, then an IPv4 address, under any prefix (RFC 5214).
ISATAP = (bytes.fromhex("00005efe"), bytes.fromhex("02005efe"))


def origin(url: str) -> str:
    """`scheme://host:port` in lower case and with the port; "" for anything that is not a web address."""
    try:
        parts = urlsplit(url)
        port = parts.port or DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.hostname}:{port}" if parts.hostname and port else ""


def problem(url: str, allowed: Sequence[str]) -> str | None:
    """Why an endpoint may not have this address, in a sentence, or None.

    `allowed` holds `host` or `host:port` entries that may be loopback or private. Names are checked here by their
    spelling only; what they resolve to is checked on connecting (`ip_problem`).
    """
    if any(ord(letter) <= 32 for letter in url) or "\\" in url:
        return "The address contains a space, a control character or a backslash."
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "This is not a valid address."
    return _spelling_problem(parts) or (None if is_allowed(parts, port, allowed) else _host_problem(parts))


def is_allowed(parts: SplitResult, port: int | None, allowed: Sequence[str]) -> bool:
    """Whether an operator allows this host, with or without its port."""
    host = (parts.hostname or "").lower()
    bracketed = f"[{host}]" if ":" in host else host
    port = port or DEFAULT_PORTS.get(parts.scheme)
    return any(entry.strip().lower() in (host, bracketed, f"{bracketed}:{port}") for entry in allowed if entry.strip())


def ip_problem(text: str) -> str | None:
    """Why a connection may not go to this IP address, or None."""
    if all(map(_is_public, _ends(ip_address(text)))):
        return None
    return (
        f"{text} is a loopback, private or reserved address. "
        "An operator can allow the host by naming it in ENDPOINT_ALLOWED_HOSTS."
    )


def _spelling_problem(parts: SplitResult) -> str | None:
    if parts.scheme not in DEFAULT_PORTS:
        return "The address must start with https:// or http://."
    if not parts.hostname:
        return "The address names no host."
    # Clients turn other letters into ASCII in their own ways: `127.0.0。1` would become 127.0.0.1 after this check.
    if not parts.hostname.isascii() or "%" in parts.hostname:
        return "Write the host in plain letters; an international name in its xn-- form."
    if parts.username is not None or parts.password is not None:
        return "Leave the user name and password out of the address; the API key has its own field."
    if parts.query or parts.fragment:
        return "Leave out everything after ? or #; the address ends with the path, often /v1."
    return None


def _host_problem(parts: SplitResult) -> str | None:
    host = (parts.hostname or "").rstrip(".").lower()
    try:
        return ip_problem(host)
    except ValueError:
        pass
    labels = host.split(".")
    if labels[-1] in ("localhost", "local", "internal", "lan", "home", "arpa") or len(labels) == 1:
        return f"{host} is a name of this machine or its network. An operator can allow it in ENDPOINT_ALLOWED_HOSTS."
    if labels[-1].isdigit() or labels[-1].startswith("0x"):
        return f"{host} is an IP address in disguise; write it as four numbers."
    return None


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    is_elsewhere = isinstance(address, IPv6Address) and address not in PUBLIC_IPV6
    return address.is_global and not address.is_multicast and not is_elsewhere


def _ends(address: IPv4Address | IPv6Address) -> Sequence[IPv4Address | IPv6Address]:
    """Where a packet to this address may arrive: the address itself, or IPv4 addresses embedded in it."""
    if isinstance(address, IPv4Address):
        return [address]
    inner = IPv4Address(address.packed[12:])
    if any(address in network for network in HOLDERS_OF_IPV4):
        return [inner]
    if address.teredo:
        return address.teredo
    if address.sixtofour:
        return [address.sixtofour]
    return [address, inner] if address.packed[8:12] in ISATAP else [address]


def base_of(address: str) -> str:
    """The address without empty parts in its path and without an operation at its end.

    `https://a.example/v1//`, `https://a.example/v1/chat/completions` and `https://a.example//v1/` are all
    `https://a.example/v1`. Text that is no address is returned unchanged; `problem` reports it.
    """
    try:
        parts = urlsplit(address.strip())
    except ValueError:
        return address
    if not parts.netloc:
        return address
    steps = [step for step in parts.path.split("/") if step]
    for operation in _OPERATIONS:
        if [step.casefold() for step in steps[-len(operation) :]] == operation:
            steps = steps[: -len(operation)]
            break
    path = "".join(f"/{step}" for step in steps)
    return urlunsplit((parts.scheme, parts.netloc, path, parts.query, parts.fragment))
