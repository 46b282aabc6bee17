"""What the report of a study of pairs shows, computed once from the decisions that are stored."""

from itertools import combinations

from annotation.models import Item, Study
from annotation.reports.caching import once
from annotation.reports.pair_findings import Decision, PairItem, PairItems, Preferences, pair_findings
from annotation.reports.scores import counted_members, rated


def preferences_of(study: Study) -> Preferences:
    """The study's preferences, cached per set of counted ratings."""
    return once("preferences", study, lambda: _compute(study))


def _compute(study: Study) -> Preferences:
    ratings = rated(
        study, counted_members(study), ("assignment__membership_id", "assignment__is_flipped"), ("metric", "value")
    )
    decisions = [
        Decision(item, member, metric, value, is_flipped, rating)
        for (item, rating, member, is_flipped), given in ratings
        for *_, metric, value in given
    ]
    screened_out = study.memberships.screened_out().count()
    return pair_findings(pair_items(study), study.rubric.metric_list(), decisions, study.seed, screened_out)


def pair_items(study: Study) -> PairItems:
    """The study's items by primary key."""
    versions = list(study.versions.order_by("position", "slug"))
    symbols = {version.slug: version.symbol for version in versions}
    order = {version.slug: number for number, version in enumerate(versions)}
    rows = (
        Item.objects.filter(study=study, purpose=Item.Purpose.RATED, other__isnull=False)
        .order_by("pk")
        .values_list(
            *("pk", "background_id", "dialogue__version_id", "other__version_id"),
            *("dialogue__is_demo", "other__is_demo"),
        )
    )
    backgrounds = {pk: number for number, pk in enumerate(dict.fromkeys(row[1] for row in rows))}
    used = {tuple(sorted((row[2], row[3]), key=order.__getitem__)) for row in rows}
    pairs = [pair for pair in combinations(order, 2) if pair in used]
    place = {pair: number for number, pair in enumerate(pairs)}
    items = {}
    for pk, background, first, second, *_ in rows:
        is_ordered = order[first] <= order[second]
        pair = (first, second) if is_ordered else (second, first)
        items[pk] = PairItem(backgrounds[background], place[pair], is_ordered)
    demo = {slug for row in rows for slug, is_demo in ((row[2], row[4]), (row[3], row[5])) if is_demo}
    return PairItems(
        items,
        tuple((symbols[first], symbols[second]) for first, second in pairs),
        tuple(pairs),
        tuple(symbols[slug] for slug in order if any(slug in pair for pair in pairs)),
        tuple(symbols[slug] for slug in order if slug in demo),
    )
