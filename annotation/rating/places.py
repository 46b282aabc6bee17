"""How places move when a rater leaves."""

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from annotation.models import NO_LEASE, Assignment, Membership, Rating, Study
from dialogues.models import AuditEvent


@transaction.atomic
def withdraw(*, membership: Membership, by: User | None) -> None:
    """Take a rater out of a study and forget who they were there; their scores stay or go as the study says.

    What they had not rated, and what is removed, is free for another rater. Withdrawing again changes nothing.
    """
    locked = (
        Membership.objects.select_for_update(no_key=True, of=("self",)).select_related("study").get(pk=membership.pk)
    )
    if locked.withdrawn_at is not None:
        return
    removes = locked.study.withdrawal == Study.Withdrawal.REMOVE
    if removes:
        ratings = Rating.objects.filter(assignment__membership=locked)
        ratings.update(supersedes=None)
        ratings.delete()
    left = Assignment.objects.filter(membership=locked)
    if not removes:
        left = left.filter(state=Assignment.State.OPEN)
    left.filter(slot__isnull=False).update(
        membership=None, state=Assignment.State.OPEN, lease_until=NO_LEASE, opened_at=None, draft={}
    )
    locked.withdrawn_at = timezone.now()
    locked.prolific_pid = locked.prolific_session = ""
    locked.save(update_fields=["withdrawn_at", "prolific_pid", "prolific_session"])
    AuditEvent.record(by, "withdraw rater", locked.study, rater=locked.rater_id, removed=removes)
