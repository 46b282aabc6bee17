"""Raters who have not been seen for some days, and a reminder by e-mail to each."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, Max, Q
from django.urls import reverse

from annotation.allocation.slots import share
from annotation.models import Assignment, Membership, Study
from annotation.people.mail import reminder_text, send_all
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent

DAYS = 3
MOST_DAYS = 365
# Nobody gets two reminders within this time, whoever presses the button.
APART = timedelta(hours=20)


class ReminderError(ValueError):
    """Nobody can be reminded; the text says why."""


@dataclass(frozen=True, slots=True)
class Idle:
    """A rater with items left, last seen at `seen`; `reminded` says whether they got a reminder within `APART`."""

    membership: Membership
    seen: datetime
    done: int
    reminded: bool

    @property
    def address(self) -> str:
        return self.membership.rater.email


def idle_raters(study: Study, days: int, now: datetime) -> list[Idle]:
    """Active raters with items left, silent for `days`, the longest silent first; without those who did their share."""
    submitted = Q(assignments__state=Assignment.State.SUBMITTED, assignments__item__purpose="rated")
    members: Any = (
        study.memberships.active()
        .exclude(pk__in=study.memberships.finished())
        .select_related("rater")
        .annotate(
            done=Count("assignments", filter=submitted, distinct=True),
            opened=Max("assignments__opened_at"),
            rated=Max("assignments__ratings__created_at"),
        )
    )
    total, lately = share(study), _lately_reminded(study, now)
    found = [
        Idle(member, seen, member.done, member.pk in lately)
        for member in members
        if member.done < total
        and (seen := max(filter(None, (member.joined_at, member.opened, member.rated)))) <= now - timedelta(days=days)
    ]
    return sorted(found, key=lambda idle: idle.seen)


def _lately_reminded(study: Study, now: datetime) -> set[int]:
    events = AuditEvent.objects.filter(subject=f"study:{study.pk}", verb=AuditVerb.RATERS_REMINDED, at__gt=now - APART)
    return {pk for detail in events.values_list("detail", flat=True) for pk in detail.get("members", [])}


def link(membership: Membership, base: str) -> str:
    """Where a rater continues; opening it asks them to log in."""
    return base + reverse("rate_next", args=[membership.token])


def letters(study: Study, idle: list[Idle], base: str) -> list[tuple[str, str, str]]:
    """(subject, text, address) for each rater who has an address."""
    return [
        ("A reminder", reminder_text(study.public_name, link(one.membership, base)), one.address)
        for one in idle
        if one.address
    ]


def remind(*, study: Study, days: int, base: str, by: User | None, now: datetime) -> list[tuple[Idle, bool]]:
    """Write to every idle rater with an address and no recent reminder; pairs each with whether the mail was accepted.

    The reminder is recorded before it is sent: a button pressed twice, or by two people, sends one.
    """
    if not study.is_open:
        raise ReminderError("Reminders go only to raters of an open study: nothing can be rated now.")
    with transaction.atomic():
        Study.objects.select_for_update().get(pk=study.pk)
        due = [one for one in idle_raters(study, days, now) if one.address and not one.reminded]
        if due:
            AuditEvent.record(
                by, AuditVerb.RATERS_REMINDED, study, days=days, members=[one.membership.pk for one in due]
            )
    return list(zip(due, send_all(letters(study, due, base)), strict=True))
