"""Disputed scores: which items they are on, the ratings behind them, and the value that somebody settled.

A settled value is kept beside the raw scores and never replaces them; the newest one of an item and metric counts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from django.contrib.auth.models import User
from django.db import transaction

from annotation.models import Adjudication, Item, Rating, Study
from annotation.monitoring.disagreement import Spread, spreads
from annotation.reports import unblinding
from annotation.reports.caching import once
from annotation.reports.scores import counted_members, rated, study_items, study_scores
from core.spreadsheets import PLAIN, CsvForm, csv_stream
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent
from dialogues.rubric import Metric
from dialogues.transcript import text_problem

LONGEST_REASON = 2000
# Scores of a pair: which of the two was preferred.
PAIR_POINTS = (-1, 0, 1)


class AdjudicationError(ValueError):
    """A value that cannot be settled; the text says why."""


class StaleAdjudicationError(AdjudicationError):
    """Somebody else settled the score while the form was open; `newest` is theirs."""

    def __init__(self, newest: Adjudication) -> None:
        super().__init__("Somebody else has settled this score. Read their decision, then decide again.")
        self.newest = newest


@dataclass(frozen=True, slots=True)
class Disputed:
    """An item with the spread of its counted scores, and how many of its metrics are settled."""

    item: Item
    spread: Spread
    settled: int


@dataclass(frozen=True, slots=True)
class Settled:
    """One metric of an item with its settled values, newest first."""

    metric: Metric
    history: tuple[Adjudication, ...]

    @property
    def newest(self) -> Adjudication | None:
        return self.history[0] if self.history else None


def disputed_spreads(study: Study, metric: str) -> list[tuple[int, Spread]]:
    """(primary key, spread) of each item, the widest first; cached per set of counted ratings."""
    keys = [one.key for one in study.rubric.metric_list()]
    chosen = keys.index(metric) if metric in keys else None

    def compute() -> list[tuple[int, Spread]]:
        items = study_items(study)
        scores = study_scores(study, items, keys)
        found = spreads(scores.item, scores.rater, scores.metric, scores.value, chosen)
        return [(int(items.pks[spread.item]), spread) for spread in found]

    return once("disputed", study, compute, also=chosen)


def with_items(study: Study, found: list[tuple[int, Spread]]) -> list[Disputed]:
    """One page of spreads with their items."""
    pks = [pk for pk, _ in found]
    items = Item.objects.select_related("dialogue__version", "other__version").defer("dialogue__messages").in_bulk(pks)
    settled: dict[int, set[str]] = {}
    for item, metric in Adjudication.objects.filter(item__in=pks).values_list("item_id", "metric"):
        settled.setdefault(item, set()).add(metric)
    return [Disputed(items[pk], spread, len(settled.get(pk, ()))) for pk, spread in found if pk in items]


def item_ratings(item: Item) -> list[Rating]:
    """The counted ratings of an item with their scores, sorted by pseudonym."""
    members = counted_members(item.study)
    rows = Rating.objects.counted().filter(assignment__item=item, assignment__membership__in=members)
    rows = rows.select_related("assignment__membership__rater__profile").prefetch_related("scores")
    return sorted(rows, key=lambda rating: members[rating.assignment.membership_id or 0])


def settled_metrics(item: Item) -> list[Settled]:
    rows = list(item.adjudications.select_related("by"))
    return [
        Settled(metric, tuple(row for row in rows if row.metric == metric.key))
        for metric in item.asked(item.study.rubric)
    ]


def allowed_values(study: Study) -> Sequence[int]:
    return PAIR_POINTS if study.compares else study.rubric.scale.values()


@transaction.atomic
def settle(*, item: Item, metric: str, value: int, reason: str, seen: int, by: User) -> Adjudication:
    """Record a settled value; `seen` is the key of the newest one that the form showed (0: none).

    Sent twice, it is recorded once. Raises StaleAdjudicationError if somebody else was faster.
    """
    study = Study.objects.select_for_update(no_key=True).select_related(None).get(pk=item.study_id)
    if metric not in {one.key for one in item.asked(study.rubric)} or value not in allowed_values(study):
        raise AdjudicationError("Choose a point of the scale.")
    if not reason.strip():
        raise AdjudicationError("Say why: readers of the study will want to know how it was settled.")
    if len(reason) > LONGEST_REASON or text_problem(reason):
        raise AdjudicationError(f"The reason is plain text of at most {LONGEST_REASON:,} characters.")
    newest = Adjudication.objects.filter(item=item, metric=metric).first()
    if newest is not None and newest.pk != seen:
        if newest.by_id == by.pk and (newest.value, newest.reason) == (value, reason.strip()):
            return newest
        raise StaleAdjudicationError(newest)
    made = Adjudication.objects.create(item=item, metric=metric, value=value, reason=reason.strip(), by=by)
    AuditEvent.record(by, AuditVerb.RATING_ADJUDICATED, study, item=item.position, metric=metric, value=value)
    return made


RAW_COLUMNS = ("study", "item", "background", "versions", "metric", "rater", "raw_value")
SETTLED_COLUMNS = (
    "adjudicated_value",
    "adjudication_reason",
    "adjudicated_by",
    "adjudicated_at",
    "simulated",
    "imported",
)


def scores_csv(study: Study, form: CsvForm = PLAIN) -> Iterator[str]:
    """Every counted score as given, with the settled value of its item and metric in separate columns."""
    return csv_stream(RAW_COLUMNS + SETTLED_COLUMNS, _score_lines(study, form), form)


def _score_lines(study: Study, form: CsvForm) -> Iterator[str]:
    members, items = counted_members(study), _item_parts(study, form)
    marks = (study.is_simulated, study.is_imported)
    settled = {of: form.part((*said, *marks)) for of, said in _newest(study).items()}
    nothing_settled = form.part((None, "", "", "", *marks))
    scored = lru_cache(form.part)
    for (item, _, member), given in rated(study, members, ("assignment__membership_id",), ("metric", "value")):
        for *_, metric, value in given:
            raw = scored((metric, members[member], value))
            yield form.line(items[item], raw, settled.get((item, metric), nothing_settled))


def _item_parts(study: Study, form: CsvForm) -> dict[int, str]:
    """For each item the part of a line that says what was rated; with versions only if the study is unblinded."""
    shows = unblinding.shows_versions(study)
    rows = Item.objects.filter(study=study, purpose=Item.Purpose.RATED).values_list(
        "pk", "position", "background__key", "dialogue__version_id", "other__version_id"
    )
    return {
        pk: form.part((study.name, at + 1, background, " / ".join(filter(None, versions)) if shows else "blind"))
        for pk, at, background, *versions in rows
    }


def _newest(study: Study) -> dict[tuple[int, str], tuple[object, ...]]:
    rows = Adjudication.objects.filter(item__study=study).select_related("by__profile").order_by("pk")
    return {
        (row.item_id, row.metric): (row.value, row.reason, _name(row), row.created_at.isoformat(timespec="seconds"))
        for row in rows
    }


def _name(row: Adjudication) -> str:
    """The settler's pseudonym; a researcher who never rated has none."""
    profile = getattr(row.by, "profile", None)
    return profile.pseudonym if profile else f"researcher-{row.by_id}" if row.by_id else ""
