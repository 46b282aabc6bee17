"""The first lines of a report: at most six sentences on what was found, each derived from the numbers. Pure."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from annotation.reports.findings import Findings, Key, shown_pairs

MOST_SENTENCES = 6
# Krippendorff (2004): draw no conclusions below the first, only tentative ones below the second.
TENTATIVE, RELIABLE = 0.667, 0.8
LEVEL = 0.05
# In points of a scale: a smaller difference is only rounding.
ROUNDING = 1e-9


def lead(
    found: Findings, *, dashes: bool, is_confirmatory: Callable[[Key], bool], standing: Sequence[str]
) -> list[str]:
    """The sentences; `standing` says first what a reader must know of the ratings, such as that they are simulated."""
    return list(islice(_sentences(found, dashes, is_confirmatory, standing), MOST_SENTENCES))


def _sentences(
    found: Findings, dashes: bool, is_confirmatory: Callable[[Key], bool], standing: Sequence[str]
) -> Iterator[str]:
    yield from standing
    keys = [key for key in shown_pairs(found, dashes=dashes) if found.differences[key]]
    pairs = _main_pairs(found, keys, is_confirmatory)
    for pair in pairs[: 3 - len(standing)]:
        yield from _of_pair(found, [key for key in keys if key[1:] == pair])
    yield from _of_agreement(found)
    yield from _of_single_raters(found, keys)
    if keys:
        yield f"Unless a table says otherwise, its numbers apply to {found.target.value} and to backgrounds like these."


def _main_pairs(found: Findings, keys: Sequence[Key], is_confirmatory: Callable[[Key], bool]) -> list[tuple[str, str]]:
    """Those that the plan names; without a plan the last version with each other, the nearest first."""
    pairs = list(dict.fromkeys(key[1:] for key in keys))
    planned = list(dict.fromkeys(key[1:] for key in keys if is_confirmatory(key)))
    last = found.versions[-1].slug if found.versions else ""
    return planned or [pair for pair in pairs if pair[1] == last]


def _of_pair(found: Findings, keys: Sequence[Key]) -> Iterator[str]:
    """On how many metrics the second version scored above or below the first, by how much, and what chance explains."""
    values = [value for key in keys if (value := _value(found, key)) is not None]
    if not values:
        return
    symbols = {version.slug: version.symbol for version in found.versions}
    first, second = symbols[keys[0][1]], symbols[keys[0][2]]
    above, below = [value for value in values if value > ROUNDING], [-value for value in values if value < -ROUNDING]
    parts = [
        f"{word} {first} on {len(some)} of {len(values)} {_metrics(len(values))}, by {_span(some)}"
        for word, some in (("above", above), ("below", below))
        if some
    ]
    said = f"{second} scored {' and '.join(parts)}" if parts else f"{second} and {first} scored the same"
    tested = [p for key in keys if (p := found.adjusted[key]) is not None]
    clear = sum(p < LEVEL for p in tested)
    if not tested:
        yield f"{said}; none of these differences was tested."
    elif clear == len(tested):
        yield f"{said}; {'each' if clear > 1 else 'it'} is more than chance explains (Holm-adjusted p < .05)."
    else:
        few = f"{clear} of {len(tested)} {'is' if clear == 1 else 'are'}" if clear else "none is"
        yield f"{said}; {few} more than chance explains (Holm-adjusted p < .05)."


def _value(found: Findings, key: Key) -> float | None:
    difference = found.differences[key]
    return None if difference is None else found.primary(difference).value


def _metrics(number: int) -> str:
    return "metric" if number == 1 else "metrics"


def _span(values: Sequence[float]) -> str:
    """“0.49 to 1.07 points”, or the one value."""
    low, high = (f"{end:.2f}" for end in (min(values), max(values)))
    return f"{low} points" if low == high else f"{low} to {high} points"


def _of_agreement(found: Findings) -> Iterator[str]:
    """Krippendorff's ordinal α over the metrics, against the bounds that he draws."""
    known = [one.estimates["alpha_ordinal"].value for one in found.agreement.values()]
    values = [value for value in known if value is not None]
    if not values:
        return
    low, high = (f"{end:.2f}" for end in (min(values), max(values)))
    span = f"is {low}" if low == high else f"lies between {low} and {high}"
    if min(values) >= RELIABLE:
        bound = "at or above .80, which is reliable by Krippendorff's bounds"
    elif min(values) >= TENTATIVE:
        bound = "at or above .667, which Krippendorff takes as enough for tentative conclusions"
    else:
        few = sum(value < TENTATIVE for value in values)
        which = "" if few == len(values) else f" on {few} of {len(values)} metrics"
        bound = f"below .667{which}, the least that Krippendorff asks for even tentative conclusions"
    yield f"Agreement between raters (ordinal α) {span}, {bound}."


def _of_single_raters(found: Findings, keys: Sequence[Key]) -> Iterator[str]:
    """Whether a difference hangs on one rater."""
    ends = [one.without_one for key in keys if (one := found.differences[key]) and one.without_one]
    if not ends:
        return
    turned = sum(low < -ROUNDING and high > ROUNDING for low, high in ends)
    if turned:
        yield (
            f"{turned} of {len(ends)} differences between versions change{'s' if turned == 1 else ''} sign when one of "
            "the raters is left out."
        )
    else:
        yield "No difference between versions changes its sign when any one rater is left out."
