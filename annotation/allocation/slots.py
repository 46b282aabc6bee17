"""Who rates what: an item's slots, and the rows that belong to one rater alone."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import connection, transaction

from annotation.allocation.orders import checks_due, crossed_blocks, rater_order, repeats_due
from annotation.allocation.williams import Row, Tally, mending_row, seeded, williams_rows
from annotation.models import NO_LEASE, Assignment, Item, Membership, Study

BATCH = 1000


@dataclass(frozen=True, slots=True)
class Numbered:
    """A rated item with its background's key, its version's number from 1 and its background's rank from 0."""

    pk: int
    background: int
    condition: int
    rank: int


def number_items(study: Study) -> list[Numbered]:
    """The study's rated items, numbered. The numbers are stored with the study and stay when items are added.

    Versions are numbered in a seeded order, backgrounds in the order of the items' shuffle. A pair of versions counts
    as a version, and one version by two writers as two.
    """
    rows = _labelled(study)
    names: list[str] = study.selection.get("conditions", [])
    more = sorted({label for _, _, label in rows} - set(names))
    seeded(study.seed, "conditions").shuffle(more)
    names = names + more
    ranks = {background: rank for rank, background in enumerate(dict.fromkeys(row[1] for row in rows))}
    if more or study.selection.get("families") != len(ranks):
        study.selection = study.selection | {"conditions": names, "families": len(ranks)}
        study.save(update_fields=["selection"])
    numbers = {name: number for number, name in enumerate(names, start=1)}
    return [Numbered(pk, background, numbers[label], ranks[background]) for pk, background, label in rows]


def rows_of(study: Study) -> tuple[Row, ...]:
    """The study's Williams rows; empty when a block would show a background twice."""
    versions = len(study.selection.get("conditions", ()))
    return williams_rows(versions) if 1 <= versions <= study.selection.get("families", 0) else ()


def make_slots(study: Study, slots: Iterable[int], items: Sequence[Numbered]) -> None:
    """Make free slots with these numbers for each of the items."""
    numbers = list(slots)
    Assignment.objects.bulk_create(
        (
            Assignment(
                study=study,
                item_id=item.pk,
                slot=slot,
                position=item.rank,
                condition=item.condition,
                lease_until=NO_LEASE,
            )
            for item in items
            for slot in numbers
        ),
        batch_size=BATCH,
    )
    transaction.on_commit(_count_rows, robust=True)


def _count_rows() -> None:
    """Update PostgreSQL's statistics of the grown tables before the first rater comes.

    Autovacuum does so within a minute or two; until then a query by key may read the whole table.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {Item._meta.db_table}, {Assignment._meta.db_table}")


def allocate_to_all(study: Study, items: Sequence[Numbered]) -> None:
    """Give every member what they lack of these items; excluded members too, who may be reinstated."""
    for membership in study.memberships.present():
        allocate(membership, items)


def allocate(membership: Membership, items: Sequence[Numbered] | None = None) -> None:
    """Give a rater the rows that only they have: training, checks, and every item when everyone scores everything.

    Once, too, when their hidden repeats are due.
    """
    study = membership.study
    if study.hidden_repeats and membership.repeats_due is None:
        membership.repeats_due = repeats_due(_share(study), study.hidden_repeats, membership.seed)
        membership.save(update_fields=["repeats_due"])
    known = set(membership.assignments.values_list("item_id", flat=True))
    rows = _checks(membership, known)
    if study.raters_per_item is None:
        rated = number_items(study) if items is None else items
        rows += _crossed(membership, [item for item in rated if item.pk not in known])
    Assignment.objects.bulk_create(rows, batch_size=BATCH)


def _checks(membership: Membership, known: set[int]) -> list[Assignment]:
    """Training items first; gold items and attention checks spread by seed."""
    unrated = membership.study.items.exclude(purpose=Item.Purpose.RATED).exclude(pk__in=known)
    found = list(unrated.order_by("position").values_list("pk", "purpose"))
    checks = [pk for pk, purpose in found if purpose != Item.Purpose.TRAINING]
    seeded(membership.seed, "which check").shuffle(checks)
    after = dict(zip(checks, checks_due(_share(membership.study), len(checks), membership.seed), strict=True))
    return [
        Assignment(
            study_id=membership.study_id,
            item_id=pk,
            membership=membership,
            position=after.get(pk, 0),
            is_flipped=stands_flipped(membership, 0, number),
        )
        for number, (pk, _) in enumerate(found)
    ]


def _share(study: Study) -> int:
    """About how many rated items each rater will get: over these the checks and repeats are spread."""
    return expected_share(study, int(study.selection.get("items", 0)))


def expected_share(study: Study, items: int) -> int:
    """About how many of so many items each rater will get, going by those who have joined or may."""
    if study.raters_per_item is None:
        return items
    raters = max(study.memberships.active().count(), study.door_limit or 0, study.raters_per_item)
    return math.ceil(items * study.raters_per_item / raters)


def _crossed(membership: Membership, items: Sequence[Numbered]) -> list[Assignment]:
    rows = rows_of(membership.study)
    versions = len(membership.study.selection["conditions"])
    last = membership.assignments.filter(condition__gt=0).order_by("-position").first()
    first = (last.position // versions + 1) * versions if last else 0
    by_pk = {item.pk: item for item in items}
    families: dict[int, dict[int, int]] = defaultdict(dict)
    for item in items:
        families[item.rank][item.condition] = item.pk
    if len(families) < versions or not rows:
        order = rater_order([item.background for item in items], membership.seed)
        ordered = {first + place: items[index].pk for place, index in enumerate(order)}
    else:
        blocks = crossed_blocks([families[rank] for rank in sorted(families)], versions, membership.seed + first)
        ordered = _in_rows(blocks, rows, membership.seed, first)
    return [
        Assignment(
            study_id=membership.study_id,
            item_id=pk,
            membership=membership,
            position=position,
            turn=position,
            condition=by_pk[pk].condition,
            is_flipped=stands_flipped(membership, by_pk[pk].condition, position // versions),
        )
        for position, pk in ordered.items()
    ]


def _in_rows(blocks: Sequence[dict[int, int]], rows: Sequence[Row], seed: int, first: int) -> dict[int, int]:
    """Items by position, each block in the row that balances this rater best; `begin_block` may reorder it later."""
    tally, ordered = Tally.empty(len(rows[0])), dict[int, int]()
    for number, block in enumerate(blocks):
        row = mending_row(rows, tally, seed + number)
        tally.add_row(row)
        held = [block[version] for version in row if version in block]
        ordered |= {first + number * len(row) + place: pk for place, pk in enumerate(held)}
    return ordered


def stands_flipped(membership: Membership, condition: int, block: int) -> bool:
    """Whether a pair's second dialogue is on the left: every other time that a rater sees this pair of versions."""
    if not membership.study.compares:
        return False
    return bool((seeded(membership.seed, "sides", condition).randrange(2) + block) % 2)


def _labelled(study: Study) -> list[tuple[int, int, str]]:
    """(item, background, version label) in the items' order."""
    fields = ("pk", "background_id", "dialogue__version_id", "other__version_id", "dialogue__written_by")
    rows = list(study.items.filter(purpose=Item.Purpose.RATED).order_by("position").values_list(*fields))
    labels = {pk: "|".join(sorted(filter(None, (one, other)))) for pk, _, one, other, _ in rows}
    if _repeats(rows, labels):
        labels |= {pk: f"{labels[pk]} {writer}".strip() for pk, _, _, _, writer in rows}
    seen: Counter[tuple[int, str]] = Counter()
    named = []
    for pk, background, *_ in rows:
        seen[background, labels[pk]] += 1
        times = seen[background, labels[pk]]
        named.append((pk, background, labels[pk] if times == 1 else f"{labels[pk]} ({times})"))
    return named


def _repeats(rows: Sequence[tuple[int, int, str, str, str]], labels: dict[int, str]) -> bool:
    return len({(background, labels[pk]) for pk, background, *_ in rows}) < len(rows)


def share(study: Study) -> int:
    """How many items one rater has to score: all of them, or an equal part of the slots."""
    return share_of(study, 1 if study.raters_per_item is None else study.memberships.active().count())


def share_of(study: Study, members: int) -> int:
    """How many items one of `members` raters has to score."""
    items = int(study.selection.get("items", 0))
    if study.raters_per_item is None:
        return items
    return min(items, math.ceil(items * study.raters_per_item / max(members, 1)))
