"""The first lines of a report: at most six sentences on what was found, each derived from the numbers. Pure."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from annotation.reports.findings import Findings, Key, compared_pairs, main_pairs

MOST_SENTENCES = 6
# Pairs of versions, each with a sentence, and those before them on where the ratings come from.
MOST_PAIRS = 3
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
    keys = compared_pairs(found, dashes=dashes)
    told = main_pairs(found, keys, is_confirmatory)
    for pair in list(dict.fromkeys(key[1:] for key in told))[: MOST_PAIRS - len(standing)]:
        yield from _of_pair(found, [key for key in told if key[1:] == pair], is_planned=is_confirmatory(told[0]))
    yield from of_agreement([one.estimates["alpha_ordinal"].value for one in found.agreement.values()])
    yield from _of_single_raters(found, keys)
    if keys:
        yield f"Unless a table says otherwise, its numbers apply to {found.target.value} and to backgrounds like these."


def _of_pair(found: Findings, keys: Sequence[Key], *, is_planned: bool) -> Iterator[str]:
    """On how many metrics the second version scored above or below the first, by how much, and what chance explains."""
    valued = [(key, value) for key in keys if (value := _value(found, key)) is not None]
    if not valued:
        return
    values = [value for _, value in valued]
    symbols = {version.slug: version.symbol for version in found.versions}
    first, second = symbols[keys[0][1]], symbols[keys[0][2]]
    above, below = [value for value in values if value > ROUNDING], [-value for value in values if value < -ROUNDING]
    metrics = metrics_in_words(len(values), is_planned=is_planned)
    parts = [
        f"{word} {first} on {len(some)} of {metrics}, by {_span(some)}"
        for word, some in (("above", above), ("below", below))
        if some
    ]
    said = f"{second} scored {' and '.join(parts)}" if parts else f"{second} and {first} scored the same on {metrics}"
    yield f"{said}; {_beyond_chance(found, [key for key, _ in valued])}."


def _beyond_chance(found: Findings, keys: Sequence[Key]) -> str:
    """How many of these differences chance does not explain, of those that were tested."""
    tested = [p for key in keys if (p := found.adjusted[key]) is not None]
    if not tested:
        return "none of these differences was tested"
    clear = sum(p < LEVEL for p in tested)
    which = _which(clear, len(tested)) if len(tested) == len(keys) else _which_tested(clear, len(tested))
    is_adjusted = sum(p is not None for p in found.adjusted.values()) > 1
    return f"{which} more than chance explains ({'Holm-adjusted p' if is_adjusted else 'p'} < .05)"


def _which(clear: int, tested: int) -> str:
    """The subject and verb, where every difference was tested."""
    if clear == tested:
        return "each is" if clear > 1 else "it is"
    return f"{clear} of {tested} {'is' if clear == 1 else 'are'}" if clear else "none is"


def _which_tested(clear: int, tested: int) -> str:
    """The same where only some were."""
    if tested == 1:
        return "the one tested is" if clear else "the one tested is not"
    if clear == tested:
        return f"each of the {tested} tested is"
    return f"{clear or 'none'} of the {tested} tested {'are' if clear > 1 else 'is'}"


def _value(found: Findings, key: Key) -> float | None:
    difference = found.differences[key]
    return None if difference is None else found.primary(difference).value


def metrics_in_words(number: int, *, is_planned: bool) -> str:
    """“6 metrics”, or “2 primary metrics” where the plan chose them."""
    return f"{number} {'primary ' if is_planned else ''}{'metric' if number == 1 else 'metrics'}"


def _span(values: Sequence[float]) -> str:
    """“0.49 to 1.07 points”, or the one value."""
    low, high = (f"{end:.2f}" for end in (min(values), max(values)))
    return f"{low} points" if low == high else f"{low} to {high} points"


def of_agreement(found: Sequence[float | None]) -> Iterator[str]:
    """Krippendorff's ordinal α over the metrics, None where it is undefined, against the bounds that he draws."""
    values = [value for value in found if value is not None]
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
