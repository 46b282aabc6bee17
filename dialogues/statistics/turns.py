"""How many messages people send in a row (paper §4.4, Tables 4 and 5)."""

from collections.abc import Mapping, Sequence

# The columns of Table 5, and a sixth so that each row adds up to the whole.
RUN_LABELS = ("1", "2", "3", "4", "5", "6+")


def acmc(messages: float, turns: float) -> float | None:
    """Average consecutive message count: Σcᵢ over the number of turns; None without turns.

    cᵢ is the number of messages in turn i, so Σcᵢ is simply the number of messages. The paper prints the number of
    *messages* as the divisor, which would give 1 for every dialogue; its Table 5 shows that turns are meant, because
    only then do its rows give the values of Table 4 (see `acmc_from_shares`).
    """
    return messages / turns if turns else None


def acmc_from_shares(shares: Mapping[int, float], whole: float = 100.0) -> float | None:
    """ACMC of a printed row: `shares` maps messages in a turn to the share of such turns, `whole` being all turns.

    A row that falls short of the whole is taken as printed: what is missing adds no messages, so the result is a
    lower bound (paper Table 5: γ prints 99.89 % of its turns, Stephanie 98.57 %).
    """
    return acmc(sum(length * share for length, share in shares.items()), whole)


def run_shares(counts: Sequence[int]) -> dict[str, float]:
    """Shares (0 to 1) of turns with one … five and six or more messages, from their six counts."""
    turns = sum(counts)
    return {label: count / turns if turns else 0.0 for label, count in zip(RUN_LABELS, counts, strict=True)}
