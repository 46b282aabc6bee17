"""Order effects, as a page and a file: how often each version was shown at each place, and after which other.

Counts everything shown to raters whose ratings count; nothing is sampled, so a report can be checked by hand.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from annotation.allocation.williams import Tally
from annotation.design.texts import order_plan
from annotation.models import Assignment, Item, Rating, Study
from annotation.monitoring.states import launched_or_404
from core.downloads import attached
from core.permissions import requires
from core.tables import Column, Table

CHUNK = 5000


@dataclass(frozen=True, slots=True)
class CountTable:
    """`counts[i][j]` beside `ideal[j]`; None for impossible cells: in a block no version follows itself."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: tuple[tuple[int | None, ...], ...]
    ideal: tuple[float, ...]

    @property
    def largest_deviation(self) -> float:
        off = (
            abs(count - ideal)
            for row in self.counts
            for count, ideal in zip(row, self.ideal, strict=True)
            if count is not None
        )
        return round(max(off, default=0.0), 3)

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"largest_deviation": self.largest_deviation}


@dataclass(frozen=True, slots=True)
class BalanceReport:
    """`position`: version × place in the block. `carry_over`: version before × version after, within blocks."""

    study: str
    seed: int
    raters: int
    raters_per_item: int | None
    versions: tuple[str, ...]
    backgrounds: int
    shown: int
    rated: int
    blocks: int
    unfinished_blocks: int
    out_of_turn: int
    # How often two dialogues of one background came directly one after the other.
    adjacent: int
    position: CountTable
    carry_over: CountTable
    # How many items have 0, 1, 2 … counted ratings.
    items_by_ratings: dict[str, int]
    unevenness: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        plain = asdict(self)
        return plain | {"position": self.position.to_json(), "carry_over": self.carry_over.to_json()}


@dataclass(slots=True)
class _Seen:
    """Running totals over the rows, rater by rater."""

    tally: Tally
    shown: int = 0
    raters: int = 0
    blocks: int = 0
    unfinished: int = 0
    out_of_turn: int = 0
    adjacent: int = 0


def report(study: Study) -> BalanceReport:
    """The present balance; streams every assignment that was shown."""
    names: tuple[str, ...] = tuple(study.selection.get("conditions", ()))
    seen = _Seen(Tally.empty(len(names)))
    for _, rows in groupby(_shown(study).iterator(CHUNK), key=itemgetter(0)):
        seen.raters += 1
        _add_rater(seen, [row[1:] for row in rows], len(names))
    families = int(study.selection.get("families", 0))
    position, carry_over = _position(seen.tally, names), _carry_over(seen.tally, names)
    return BalanceReport(
        study=study.name,
        seed=study.seed,
        raters=seen.raters,
        raters_per_item=study.raters_per_item,
        versions=names,
        backgrounds=families,
        shown=seen.shown,
        rated=Rating.objects.counted().for_study(study).count(),
        blocks=seen.blocks,
        unfinished_blocks=seen.unfinished,
        out_of_turn=seen.out_of_turn,
        adjacent=seen.adjacent,
        position=position,
        carry_over=carry_over,
        items_by_ratings=_items_by_ratings(study),
        unevenness=tuple(_why(seen, position, carry_over, families, len(names))),
    )


def _shown(study: Study) -> QuerySet[Assignment, tuple[Any, ...]]:
    """(rater, turn, version, background) in the order in which each rater saw them."""
    rows = Assignment.objects.filter(
        membership__in=study.memberships.counted(),
        study=study,
        condition__gt=0,
        opened_at__isnull=False,
        turn__isnull=False,
    )
    return rows.order_by("membership", "turn").values_list("membership", "turn", "condition", "item__background")


def _add_rater(seen: _Seen, rows: list[tuple[int, int, int]], versions: int) -> None:
    last = None
    for _, shown in groupby(rows, key=lambda row: row[0] // versions):
        block = list(shown)
        before = None
        for turn, version, background in block:
            seen.tally.add(version, turn % versions, before if before != version else None)
            seen.adjacent += background == last
            before, last = version, background
        seen.shown += len(block)
        seen.blocks += 1
        seen.unfinished += len(block) < versions
        seen.out_of_turn += len(block) - len({version for _, version, _ in block})


def _position(tally: Tally, names: tuple[str, ...]) -> CountTable:
    """Ideal: every version equally often at a place."""
    places = range(len(names))
    ideal = tuple(sum(row[place] for row in tally.placed) / len(names) for place in places)
    return CountTable(names, tuple(str(place + 1) for place in places), tuple(map(tuple, tally.placed)), ideal)


def _carry_over(tally: Tally, names: tuple[str, ...]) -> CountTable:
    """Ideal: every version equally often after each other one."""
    pairs = len(names) * (len(names) - 1)
    even = sum(map(sum, tally.carried)) / pairs if pairs else 0.0
    counts = tuple(
        tuple(None if before == after else count for after, count in enumerate(row))
        for before, row in enumerate(tally.carried)
    )
    return CountTable(names, names, counts, (even,) * len(names))


def _items_by_ratings(study: Study) -> dict[str, int]:
    items = Item.objects.filter(study=study, purpose=Item.Purpose.RATED).count()
    counted = Rating.objects.counted().for_study(study).values("assignment__item").order_by("assignment__item")
    by_count = Counter(counted.annotate(n=Count("pk")).values_list("n", flat=True))
    by_count[0] = items - by_count.total()
    return {str(number): by_count[number] for number in sorted(by_count) if by_count[number]}


def _why(seen: _Seen, position: CountTable, carry_over: CountTable, families: int, versions: int) -> Iterator[str]:
    """Sentences on what the design could not balance; none if every count is within one of its ideal."""
    if families < versions:
        yield (
            f"There are {families} backgrounds for {versions} versions, so a block cannot show each version on a "
            "background of its own."
        )
    if max(position.largest_deviation, carry_over.largest_deviation) <= 1:
        return
    if seen.unfinished:
        yield (
            f"{seen.unfinished} of {seen.blocks} blocks were not shown to their end, so later places have fewer items "
            "than earlier ones."
        )
    if seen.out_of_turn:
        yield (
            f"{seen.out_of_turn} items replaced a version that had no slot left for their rater, which happens when "
            "few slots are left."
        )
    if versions % 2 and seen.blocks % (2 * versions):
        yield (
            f"With {versions} versions, an odd number, the order of versions evens out every {2 * versions} blocks, "
            f"and {seen.blocks} were shown."
        )
    elif not seen.unfinished and not seen.out_of_turn:
        yield "Raters began blocks at the same moment, so neither row could take the other into account."


@require_GET
@requires("annotation.view_study", "see studies")
def study_balance(request: HttpRequest, pk: int) -> HttpResponse:
    """The order plan and how it came out."""
    study = launched_or_404(pk)
    found = report(study)
    context = {
        "study": study,
        "report": found,
        "plan": order_plan(study.raters_per_item, compares=study.compares, has_chats=study.has_chats),
        "tables": balance_tables(found, {version.pk: version.symbol for version in study.versions.all()}),
        "unfinished": f"{found.unfinished_blocks:,} not shown to their end" if found.unfinished_blocks else "",
    }
    return render(request, "studies/balance.html", context)


@require_GET
@requires("annotation.view_study", "see studies")
def study_balance_json(request: HttpRequest, pk: int) -> JsonResponse:
    """The report as a JSON file."""
    study = launched_or_404(pk)
    response = JsonResponse(report(study).to_json(), json_dumps_params={"indent": 2, "ensure_ascii": False})
    return attached(response, f"study-{study.pk}-balance.json")


def balance_tables(report: BalanceReport, symbols: Mapping[str, str]) -> list[Table]:
    """Versions by place in a block, and by the version before them; `symbols` maps slugs to symbols."""
    names = [symbols.get(slug, slug) for slug in report.versions]
    places = [f"Place {place}" for place in report.position.columns]
    return [
        _count_table(
            "balance-position", "Where each version stood in a block", "Version", "", places, names, report.position
        ),
        _count_table(
            "balance-carry-over",
            "What followed what within a block",
            "Before",
            "After",
            names,
            names,
            report.carry_over,
        ),
    ]


def _count_table(
    slug: str, caption: str, first: str, group: str, heads: list[str], names: list[str], counted: CountTable
) -> Table:
    columns = (Column(first, numeric=False), *(Column(head, group=group) for head in heads))
    rows = [(name, *counts) for name, counts in zip(names, counted.counts, strict=True)]
    note = f"Ideal: the same for every version. Largest deviation from it: {counted.largest_deviation:g}."
    return Table(slug, caption, columns, (*rows, ("Ideal", *counted.ideal)), notes=(note,))
