"""The theme and characters that a family of dialogues brought along, for judges where no run made a theme."""

from collections import defaultdict
from collections.abc import Collection, Mapping

from django.db.models import Q

from dialogues.models import Dialogue
from generation.prompts import Background


def brought_backgrounds(keys: Collection[int]) -> Mapping[int, Background]:
    """For each dialogue its own theme, else the first in its family; characters are the original's where it has any.

    Dialogues never change and families only grow, so the answer stays what it was. Two queries.
    """
    if not keys:
        return {}
    rows = list(Dialogue.objects.filter(pk__in=keys).only(*_FIELDS))
    roots = {row.origin_id or row.pk for row in rows}
    families: dict[int, list[Dialogue]] = defaultdict(list)
    for row in Dialogue.objects.filter(Q(pk__in=roots) | Q(origin__in=roots)).only(*_FIELDS).order_by("pk"):
        families[row.origin_id or row.pk].append(row)
    return {row.pk: _background(row, families[row.origin_id or row.pk]) for row in rows}


_FIELDS = ("pk", "origin_id", "theme", "traits_1", "traits_2")


def _background(row: Dialogue, family: list[Dialogue]) -> Background:
    themed = [row, *family]
    # The original comes first in its family.
    told = [*family[:1], row, *family]
    return Background(
        next((one.theme for one in themed if one.theme), ""),
        next((one.traits_1 for one in told if one.traits_1), []),
        next((one.traits_2 for one in told if one.traits_2), []),
    )
