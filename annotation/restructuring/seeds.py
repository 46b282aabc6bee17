"""Find dialogues worth restructuring by their figures, and ask people to restructure them."""

import random
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import (
    Avg,
    Case,
    Count,
    Exists,
    F,
    FloatField,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Cast

from annotation.models import Restructuring
from annotation.people import acquaintance
from annotation.people.acquaintance import AcquaintedError
from annotation.roles import BACKEND
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent, Corpus, Dialogue
from generation.models import Judgement

BATCH = 1000
ALSO_RESTRUCTURES = "was also asked to restructure dialogues of its backgrounds"
# The figures that filter and sort the list: name in the address, and label.
FIGURES = {
    "words": "Words a message",
    "longest": "Longest turn (messages)",
    "acmc": "ACMC",
    "messages": "Messages",
    "score": "Judges' score",
}
LONGEST_KNOWN = 6
LONGEST = Case(
    When(turns_of_6_up__gt=0, then=Value(LONGEST_KNOWN)),
    *(When(**{f"turns_of_{length}__gt": 0}, then=Value(length)) for length in range(5, 0, -1)),
    default=Value(0),
    output_field=IntegerField(),
)


class Asked(NamedTuple):
    """How many restructurings are new requests, and how many had been requested before."""

    new: int
    before: int


def candidates(wanted: Mapping[str, Any]) -> QuerySet[Dialogue]:
    """The dialogues that match `SeedFilter.cleaned_data`, in its order, without their texts."""
    found = Dialogue.objects.filter(corpus__is_scratch=False)
    if wanted.get("corpus"):
        found = found.filter(corpus=wanted["corpus"])
    if wanted.get("run"):
        found = found.filter(output__call__run=wanted["run"])
    if wanted.get("version"):
        found = found.of_version(wanted["version"].pk)
    if wanted.get("untouched"):
        found = found.filter(~Exists(Restructuring.objects.kept().filter(original=OuterRef("pk"))))
    sort = wanted.get("sort") or ""
    return _ordered(_narrowed(found, wanted, sort), sort)


def figures_of(dialogues: Sequence[Dialogue], metric: str = "") -> list[dict[str, Any]]:
    """For each dialogue a row with its longest turn, the judges' mean score, and how many people were asked."""
    keys = [one.pk for one in dialogues]
    judged = _judgements(metric).filter(dialogue__in=keys).values_list("dialogue").annotate(Avg("score"))
    scores = dict(judged.order_by())
    asked = dict(
        Restructuring.objects.kept().filter(original__in=keys).values_list("original").annotate(Count("pk")).order_by()
    )
    return [
        {"dialogue": one, "longest": longest(one), "score": scores.get(one.pk), "asked": asked.get(one.pk, 0)}
        for one in dialogues
    ]


def longest(dialogue: Dialogue) -> str:
    """The number of messages in the longest turn; the stored counts end at six or more."""
    if dialogue.turns_of_6_up:
        return f"{LONGEST_KNOWN}+"
    return str(max(length for length in range(6) if length == 0 or getattr(dialogue, f"turns_of_{length}")))


def first(found: QuerySet[Dialogue], n: int) -> list[int]:
    return list(found.values_list("pk", flat=True)[:n])


def sample(found: QuerySet[Dialogue], n: int, seed: int) -> list[int]:
    """A seeded sample that does not depend on the order of the list."""
    keys = sorted(found.order_by().values_list("pk", flat=True))
    return keys if n >= len(keys) else sorted(random.Random(seed).sample(keys, n))  # noqa: S311 - repeatable


def annotators() -> QuerySet[User]:
    """People who can be asked, with how many restructurings they have open (`open_count`)."""
    people = User.objects.with_perm("annotation.add_operation", backend=BACKEND).exclude(profile__is_simulated=True)
    states = (Restructuring.State.OPEN, Restructuring.State.RETURNED)
    mine = Restructuring.objects.filter(annotator=OuterRef("pk"), state__in=states).order_by()
    counted = mine.values("annotator").annotate(count=Count("pk")).values("count")
    return people.annotate(open_count=Subquery(counted)).order_by("username").distinct()


@transaction.atomic
def ask(
    *, dialogues: Collection[int], people: Collection[User], instructions: str, by: User, despite: str = ""
) -> Asked:
    """Request a restructuring of every dialogue from every person; earlier requests stay as they are.

    Raises AcquaintedError if somebody would restructure what they rate, unless `despite` says why they may.
    """
    # Lock the people, so that simultaneous requests see each other's.
    locked = User.objects.select_for_update(no_key=True).filter(pk__in=[person.pk for person in people])
    persons = list(locked.order_by("pk"))
    _keep_apart(dialogues, persons, despite, by)
    chosen = Dialogue.objects.filter(pk__in=list(dialogues), corpus__is_scratch=False).order_by("pk")
    originals = list(chosen.only("pk", "corpus_id", "messages"))
    there = set(
        Restructuring.objects.kept()
        .filter(original__in=originals, annotator__in=persons)
        .values_list("original_id", "annotator_id")
    )
    rows = [
        Restructuring(
            original=original,
            annotator=person,
            asked_by=by,
            instructions=instructions,
            messages=original.messages,
        )
        for original in originals
        for person in persons
        if (original.pk, person.pk) not in there
    ]
    Restructuring.objects.bulk_create(rows, batch_size=BATCH)
    _record(by, rows)
    return Asked(len(rows), len(there))


def _keep_apart(dialogues: Collection[int], people: Sequence[User], despite: str, by: User) -> None:
    """Refuse people who rate these dialogues, or record the reason with each of their studies."""
    rates = acquaintance.raters_of(dialogues, people)
    if rates and not despite.strip():
        names = ", ".join(sorted({member.rater.get_username() for member in rates}))
        studies = ", ".join(sorted({f"“{member.study.name}”" for member in rates}))
        raise AcquaintedError(
            f"Nobody was asked: {names} would restructure what they rate in {studies}. Choose other people or "
            "dialogues, or say why they may; the study’s page and its methods text then say so."
        )
    for member in rates:
        acquaintance.record(member, how=ALSO_RESTRUCTURES, reason=despite, by=by)


def _record(by: User, rows: Sequence[Restructuring]) -> None:
    """Record one audit event for each corpus."""
    by_corpus: dict[int, list[Restructuring]] = {}
    for row in rows:
        by_corpus.setdefault(row.original.corpus_id, []).append(row)
    for corpus in Corpus.objects.filter(pk__in=by_corpus):
        asked = by_corpus[corpus.pk]
        people = sorted({row.annotator_id for row in asked})
        AuditEvent.record(by, AuditVerb.RESTRUCTURINGS_REQUESTED, corpus, restructurings=len(asked), annotators=people)


def _judgements(metric: str) -> QuerySet[Judgement]:
    rows = Judgement.objects.order_by()
    return rows.filter(metric=metric) if metric else rows


def _narrowed(found: QuerySet[Dialogue], wanted: Mapping[str, Any], sort: str) -> QuerySet[Dialogue]:
    """Filter by the wanted ranges; compute only the figures that are used."""
    ranges = {name: (wanted.get(f"{name}_min"), wanted.get(f"{name}_max")) for name in FIGURES}
    asked = {name for name, ends in ranges.items() if ends != (None, None)} | ({sort.lstrip("-")} & FIGURES.keys())
    figures = _expressions(wanted.get("metric") or "")
    found = found.annotate(**{f"figure_{name}": figures[name] for name in sorted(asked)})
    within = Q()
    for name in asked:
        low, high = ranges[name]
        within &= Q(**{f"figure_{name}__gte": low}) if low is not None else Q()
        within &= Q(**{f"figure_{name}__lte": high}) if high is not None else Q()
    return found.filter(within)


def _expressions(metric: str) -> dict[str, Any]:
    mean = _judgements(metric).filter(dialogue=OuterRef("pk")).values("dialogue").annotate(mean=Avg("score"))
    return {
        "words": Cast(F("whitespace_tokens"), FloatField()) / F("message_count"),
        "longest": LONGEST,
        "acmc": Cast(F("message_count"), FloatField()) / F("turn_count"),
        "messages": F("message_count"),
        "score": Subquery(mean.values("mean"), output_field=FloatField()),
    }


def _ordered(found: QuerySet[Dialogue], sort: str) -> QuerySet[Dialogue]:
    """Sort by the figure, dialogues without it last, then by key."""
    name = sort.lstrip("-")
    if name in FIGURES:
        figure = F(f"figure_{name}")
        by = figure.desc(nulls_last=True) if sort.startswith("-") else figure.asc(nulls_last=True)
        found = found.order_by(by, "pk")
    else:
        found = found.order_by("pk")
    return found.select_related("version", "corpus").defer("messages", "traits_1", "traits_2", "theme")
