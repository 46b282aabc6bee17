"""An endpoint's base address as people copy it, brought to the form to which operations are added. Pure."""

from urllib.parse import urlsplit, urlunsplit

# What documentation shows behind the base address.
_OPERATIONS = (["chat", "completions"], ["completions"], ["responses"], ["messages"], ["embeddings"], ["models"])


def base_of(address: str) -> str:
    """The address without empty parts in its path and without an operation at its end.

    `https://a.example/v1//`, `https://a.example/v1/chat/completions` and `https://a.example//v1/` are all
    `https://a.example/v1`. What is no address is left as it is, for others to judge.
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
