"""The kinds of sentences that there are, each with what checks it."""

import re
from collections.abc import Callable

Claim = Callable[..., None]
CLAIMS: list[tuple[re.Pattern[str], Claim]] = []


def claims(pattern: str) -> Callable[[Claim], Claim]:
    """Registers a function to check sentences of the pattern: it takes the study's key and the pattern's groups."""

    def add(claim: Claim) -> Claim:
        CLAIMS.append((re.compile(pattern), claim))
        return claim

    return add
