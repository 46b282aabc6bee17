"""A rater's own rows by the tokens in addresses. Every rating request starts here; strangers get 404."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import (
    Aggregate,
    Case,
    Count,
    Exists,
    JSONField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce, JSONArray
from django.http import Http404

from annotation.allocation.block_balance import MemberLine, members_who_count
from annotation.allocation.claiming import is_due
from annotation.allocation.submit_lock import HeldOpen
from annotation.models import Assignment, Item, Membership, Rating
from core.database.prepared import Prepared
from dialogues.models import Dialogue

AnyUser = AbstractBaseUser | AnonymousUser


def own_membership(user: AnyUser, token: str) -> Membership:
    """The rater's membership with this token; Http404 for everybody else."""
    found = MEMBERSHIP.first(token=token, rater=user.pk or 0)
    if found is None or found.study.is_draft:
        raise Http404("You are not a rater of such a study.")
    return found


def own_assignment(user: AnyUser, token: str, *, lock: bool = False) -> Assignment:
    """The rater's own item with this token; Http404 for everybody else.

    With `lock`, which needs a transaction, it carries what a submit needs; without it, what a page shows.
    """
    found = (LOCKED if lock else SHOWN).first(token=token, rater=user.pk or 0)
    if found is None or found.membership is None:
        raise Http404("This item is not yours, or it went to another rater.")
    found.membership.study = found.study
    return found


def _memberships(token: str, rater: int) -> QuerySet[Membership]:
    practice = Item.objects.filter(study=OuterRef("study"), purpose=Item.Purpose.TRAINING)
    rows: Any = Membership.objects.present().select_related("study__rubric")
    found: QuerySet[Membership] = rows.annotate(has_practice=Exists(practice)).filter(token=token, rater_id=rater)
    return found


def _assignments(token: str, rater: int) -> Any:
    rows = Assignment.objects.select_related("item__dialogue", "item__other", "membership", "study__rubric")
    # Parsing times is slow, and nothing here uses these.
    rows = rows.defer("created_at", "membership__joined_at", "study__created_at", "study__launched_at")
    return rows.filter(token=token, membership__rater_id=rater, membership__withdrawn_at__isnull=True).order_by()


def _shown(token: str, rater: int) -> QuerySet[Assignment]:
    """With the number of items the rater has scored, and the one they scored before this one, and when."""
    scored: Any = Assignment.objects.filter(membership=OuterRef("membership"), state=Assignment.State.SUBMITTED)
    scored = scored.past_practice()
    before = scored.filter(opened_at__lt=Coalesce(OuterRef("opened_at"), Value(datetime.max.replace(tzinfo=UTC))))
    before = before.order_by("-opened_at")
    current = Rating.objects.filter(assignment=OuterRef("pk"), is_current=True)
    rows = _assignments(token, rater).defer(*_of_dialogues_all_but("id", "version", "message_count", "messages"))
    found: QuerySet[Assignment] = rows.annotate(
        items_scored=Coalesce(Subquery(scored.order_by().values("membership").values(n=Count("pk"))), 0),
        previous_token=Subquery(before.values("token")[:1]),
        previous_rated_at=Subquery(before.values(at=Subquery(current.values("created_at")[:1]))[:1]),
    )
    return found


def _locked(token: str, rater: int) -> QuerySet[Assignment]:
    """With its latest rating and whether the rater holds another item; shares the study's submit lock.

    Of the dialogues only versions and lengths are loaded, since a submit needs no more.
    """
    ratings = Rating.objects.filter(assignment=OuterRef("pk")).order_by("-pk")
    others = Assignment.objects.opened().filter(membership=OuterRef("membership")).exclude(pk=OuterRef("pk"))
    rows = _assignments(token, rater).annotate(
        last_rating_id=Subquery(ratings.values("pk")[:1]),
        holds_more=Exists(others.filter(is_due(OuterRef("membership__turn")))),
        held_open=HeldOpen("study_id"),
        members_lines=Case(When(_ends_block(), then=_members_lines())),
    )
    rows = rows.defer(*_of_dialogues_all_but("id", "version", "message_count"))
    found: QuerySet[Assignment] = rows.select_for_update(no_key=True, of=("self",))
    return found


def _ends_block() -> Q:
    """Matches the last item of a rater's block in a study with slots: the next block's row is chosen after it."""
    is_over = Q(membership__course__left=[]) | Q(membership__course__left__isnull=True)
    return is_over & Q(study__raters_per_item__isnull=False)


def _members_lines() -> Subquery:
    members = members_who_count().filter(study=OuterRef("study")).order_by().values("study")
    return Subquery(members.annotate(lines=_All(JSONArray("pk", "token", "turn", "is_here"))).values("lines"))


class _All(Aggregate):
    """Aggregate the rows' values into one JSON array."""

    function = "JSONB_AGG"
    output_field = JSONField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, function="JSON_GROUP_ARRAY", **context)


def lines(assignment: Assignment) -> list[MemberLine] | None:
    """The lines of the study's members that `own_assignment(lock=True)` has read at the end of a block, else None."""
    if assignment.members_lines is None:
        return None
    return [(pk, token, turn, bool(is_here)) for pk, token, turn, is_here in assignment.members_lines]


def _of_dialogues_all_but(*kept: str) -> Iterator[str]:
    for field in Dialogue._meta.concrete_fields:
        if field.name not in kept:
            yield from (f"item__dialogue__{field.name}", f"item__other__{field.name}")


MEMBERSHIP = Prepared(_memberships, token=str, rater=int)
SHOWN = Prepared(_shown, token=str, rater=int)
LOCKED = Prepared(_locked, token=str, rater=int)
