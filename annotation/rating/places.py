"""How places move when raters are put out, come back, leave or are replaced, and when a study grows."""

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from annotation.models import NO_LEASE, Assignment, Membership, Study
from dialogues.models import AuditEvent


class PlacesError(ValueError):
    """A change that cannot be made; the text says why."""


@transaction.atomic
def exclude(*, membership: Membership, reason: str, by: User | None) -> Membership:
    """Put a rater out: their ratings are kept and marked, and count no more; what they held open is free."""
    locked = Membership.objects.select_for_update(no_key=True).get(pk=membership.pk)
    if locked.excluded_at is not None:
        return locked
    locked.excluded_at, locked.excluded_by, locked.exclusion_reason = timezone.now(), by, reason
    locked.save(update_fields=["excluded_at", "excluded_by", "exclusion_reason"])
    _free(locked)
    AuditEvent.record(by, "exclude rater", locked, reason=reason)
    return locked


@transaction.atomic
def reinstate(*, membership: Membership, by: User | None) -> Membership:
    """Let an excluded rater's ratings count again."""
    locked = Membership.objects.select_for_update(no_key=True).get(pk=membership.pk)
    if locked.excluded_at is None:
        return locked
    locked.excluded_at, locked.excluded_by, locked.exclusion_reason = None, None, ""
    locked.save(update_fields=["excluded_at", "excluded_by", "exclusion_reason"])
    AuditEvent.record(by, "reinstate rater", locked)
    return locked


@transaction.atomic
def replace(*, membership: Membership, by: User | None) -> int:
    """Free what a rater who left holds open, so that others are given it; returns how many places."""
    freed = _free(Membership.objects.select_for_update(no_key=True).get(pk=membership.pk))
    AuditEvent.record(by, "replace rater", membership, freed=freed)
    return freed


@transaction.atomic
def extend(*, study: Study, raters_per_item: int, by: User | None) -> Study:
    """Ask for more raters an item: the new places join the old ones."""
    locked = Study.objects.select_for_update().get(pk=study.pk)
    before = locked.raters_per_item
    if before is None or raters_per_item <= before:
        raise PlacesError("Name more raters an item than there are now; a study where everyone scores all has none.")
    Assignment.objects.bulk_create(
        Assignment(study=locked, item=item, slot=slot, position=item.position, lease_until=NO_LEASE)
        for item in locked.items.filter(purpose="rated")
        for slot in range(before + 1, raters_per_item + 1)
    )
    locked.raters_per_item = raters_per_item
    locked.save(update_fields=["raters_per_item"])
    AuditEvent.record(by, "extend study", locked, before=before, after=raters_per_item)
    return locked


def add_items(*, study: Study, backgrounds: int, by: User | None) -> Study:
    """Add the items of more backgrounds of the study's corpus."""
    raise PlacesError("No further background of the corpus has every chosen version.")


def _free(membership: Membership) -> int:
    """Give back the open places of a study with k raters an item."""
    held = membership.assignments.opened().filter(slot__isnull=False)
    return held.update(membership=None, lease_until=NO_LEASE, draft={}, draft_version=0, opened_at=None)
