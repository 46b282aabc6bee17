"""Exclude, reinstate, screen out, withdraw or replace a rater, and what becomes of their slots.

An item of a study with k raters always has exactly k slots: a rater who loses a slot keeps the row with the rating but
not the slot, which a new free row gets.
"""

from collections.abc import Sequence
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from annotation.allocation.claiming import LEFT, vacate
from annotation.allocation.slots import BATCH
from annotation.chats.keeping import forget
from annotation.models import (
    NO_LEASE,
    Assignment,
    Chat,
    Invitation,
    Item,
    Membership,
    Profile,
    Rating,
    Study,
    opaque_token,
)
from annotation.models.people import profile_of
from annotation.people import memberships
from annotation.rating.arithmetic import missed
from annotation.rating.practice import practice_of
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent

LONGEST_REASON = 300
# A submit of such an item may screen its rater out.
SCREENING = (Item.Purpose.TRAINING, Item.Purpose.ATTENTION)


class MembershipError(ValueError):
    """A change to a membership that cannot be made; the text says why and what to do."""


@transaction.atomic
def exclude(*, membership: Membership, reason: str, by: User | None) -> int:
    """Exclude a rater; returns how many slots this frees. Excluding twice changes nothing.

    The ratings stay, marked, and count in no table. Raises MembershipError without a reason.
    """
    member = _locked(membership)
    if member.excluded_at is not None:
        return 0
    if not reason.strip():
        raise MembershipError("Say why this rater is excluded: a report must give the reason.")
    if len(reason.strip()) > LONGEST_REASON:
        raise MembershipError(f"The reason has {len(reason.strip())} characters; at most {LONGEST_REASON} fit.")
    member.excluded_at, member.excluded_by, member.exclusion_reason = timezone.now(), by, reason.strip()
    member.save(update_fields=["excluded_at", "excluded_by", "exclusion_reason"])
    freed = _vacate_all(member)
    AuditEvent.record(
        by, AuditVerb.RATER_EXCLUDED, member.study, member=member.pk, reason=member.exclusion_reason, freed=freed
    )
    return freed


@transaction.atomic
def reinstate(*, membership: Membership, by: User | None) -> int:
    """Undo an exclusion; returns how many ratings hold a slot again.

    A rating gets a slot back only if one is free; the others stay without, so that no item has more than k raters. A
    rater who was screened out and does not count gets none back: a rule decided that, so no person can undo it.
    """
    member = _locked(membership)
    if member.excluded_at is None:
        return 0
    reason = member.exclusion_reason
    member.excluded_at, member.excluded_by, member.exclusion_reason = None, None, ""
    member.save(update_fields=["excluded_at", "excluded_by", "exclusion_reason"])
    returned = 0
    if member.is_counted:
        returned = sum(_take_again(member, rows) for rows in _in_batches(_without_slot(member)))
    AuditEvent.record(by, AuditVerb.RATER_REINSTATED, member.study, member=member.pk, reason=reason, returned=returned)
    return returned


@transaction.atomic
def screen_out(*, membership: Membership, lapses: int, now: datetime, failed_training: bool = False) -> int:
    """Screen a rater out after so many failed checks; returns how many slots this frees. Twice changes nothing.

    With `failed_training`, `lapses` is how many training items they did not score as expected.

    The ratings stay. Unless the study counts them, they count in no table, and their slots go to others, so that every
    item can still get its k counted ratings.
    """
    member = _locked(membership)
    if member.screened_out_at is not None:
        return 0
    member.screened_out_at, member.failed_training = now, failed_training
    member.save(update_fields=["screened_out_at", "failed_training"])
    freed = _vacate_all(member, also_rated=not member.is_counted)
    what = {"missed_training": lapses} if failed_training else {"lapses": lapses}
    AuditEvent.record(None, AuditVerb.RATER_SCREENED_OUT, member.study, member=member.pk, **what, freed=freed)
    return freed


@transaction.atomic
def withdraw(*, membership: Membership, by: User | None) -> int:
    """Withdraw a rater by the study's policy; returns how many slots this frees. Withdrawing twice changes nothing.

    Their identity leaves the study in any case: an account that nobody can use, with a new pseudonym, replaces theirs.
    Scores stay, or are deleted and their slots freed. None of this can be undone. If scores stay, a keyed hash of the
    person is stored separately, so that nobody joins twice (`people.withdrawals`).
    """
    # Lock checks before the member, as a submit that may screen out does, or the two could deadlock.
    checks = membership.assignments.filter(item__purpose__in=SCREENING).order_by("pk")
    list(checks.select_for_update(no_key=True, of=("self",)).values_list("pk", flat=True))
    member = _locked(membership)
    if member.withdrawn_at is not None:
        return 0
    study, person = member.study, member.rater
    removes = study.withdrawal == Study.Withdrawal.REMOVE
    # Wait for a running submit, so that its rating is removed with the rest.
    list(member.assignments.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))
    _remove_chats(member, also_rated=removes)
    removed = _remove_ratings(member) if removes else 0
    if removes:
        member.system_preferences.all().delete()
    freed = _vacate_all(member, also_rated=removes)
    # Items without a rating will never get one.
    rated = Rating.objects.filter(assignment__membership=member).values("assignment")
    member.assignments.exclude(pk__in=rated).delete()
    member.assignments.update(draft={})
    if not removes:
        memberships.note_withdrawal(study=study, rater=person, participant=member.prolific_pid)
    _make_nameless(member)
    Chat.objects.filter(assignment__study=study, person=person).update(person=member.rater)
    _unname_invitations(study, person)
    # Recording the person who withdrew would identify them.
    actor = None if by is not None and by.pk == person.pk else by
    AuditEvent.record(actor, AuditVerb.RATER_WITHDRAWN, study, policy=study.withdrawal, freed=freed, removed=removed)
    return freed


@transaction.atomic
def replace(*, membership: Membership, by: User | None) -> int:
    """Free the open slots of a rater who left, so that others get them at once; returns how many.

    Their ratings stay. If everyone scores everything there are no slots to free.
    """
    member = _locked(membership)
    freed = _vacate_all(member, also_rated=False)
    AuditEvent.record(by, AuditVerb.RATER_REPLACED, member.study, member=member.pk, freed=freed)
    return freed


def _locked(membership: Membership) -> Membership:
    """Lock the member's row; callers lock assignments after it, in the same order as a claim does."""
    rows = Membership.objects.select_related("study", "rater").select_for_update(no_key=True, of=("self",))
    return rows.get(pk=membership.pk)


def _vacate_all(member: Membership, *, also_rated: bool = True) -> int:
    held = member.assignments.filter(slot__isnull=False).order_by("pk")
    if not also_rated:
        held = held.opened()
    rows = list(held.select_for_update(no_key=True))
    for batch in _in_batches(rows):
        vacate(batch)
    return len(rows)


def _without_slot(member: Membership) -> list[Assignment]:
    """Rows that lost their slot by an exclusion: rated, or rated and taken back."""
    mine = member.assignments.filter(slot__isnull=True, condition__gt=0, study__raters_per_item__isnull=False)
    rated = mine.filter(state=Assignment.State.SUBMITTED) | mine.filter(skip_reason=LEFT)
    return list(rated.order_by("pk"))


def _take_again(member: Membership, rows: Sequence[Assignment]) -> int:
    """Give these rows free slots of their items, as far as there are any; returns how many hold a rating."""
    free = Assignment.objects.opened().filter(membership__isnull=True, item__in=[row.item_id for row in rows])
    by_item = {row.item_id: row for row in free.order_by("-slot").select_for_update(skip_locked=True)}
    returning = [row for row in rows if row.item_id in by_item]
    Assignment.objects.filter(pk__in=[by_item[row.item_id].pk for row in returning]).delete()
    for row in returning:
        row.slot, row.lease_until = by_item[row.item_id].slot, NO_LEASE
        if row.skip_reason == LEFT:
            row.state, row.skip_reason = Assignment.State.OPEN, ""
    Assignment.objects.bulk_update(returning, ["slot", "lease_until", "state", "skip_reason"])
    return sum(row.state == Assignment.State.SUBMITTED for row in returning)


def _remove_chats(member: Membership, *, also_rated: bool) -> None:
    """Forget what the person wrote in chats of the study: all of them, or those that they did not score."""
    mine = Chat.objects.filter(assignment__study=member.study_id, person=member.rater_id)
    rated = Rating.objects.filter(assignment__membership=member, is_current=True).values("assignment")
    for chat in mine if also_rated else mine.exclude(assignment__in=rated):
        forget(chat)


def _remove_ratings(member: Membership) -> int:
    mine = Rating.objects.filter(assignment__membership=member)
    current = mine.filter(is_current=True).count()
    # The rows of a chain of corrections protect each other from deletion, so unlink them first.
    mine.update(supersedes=None)
    mine.delete()
    return current


def _make_nameless(member: Membership) -> None:
    name = f"withdrawn-{opaque_token()}"
    marks = Profile.objects.filter(user=member.rater).values("is_simulated", "is_imported").first()
    nobody = User(username=name, is_active=False)
    nobody.set_unusable_password()
    nobody.save()
    profile = profile_of(nobody)
    if marks:
        profile.is_simulated, profile.is_imported = marks["is_simulated"], marks["is_imported"]
        profile.save(update_fields=["is_simulated", "is_imported"])
    member.rater, member.withdrawn_at, member.token = nobody, timezone.now(), opaque_token()
    member.prolific_pid = member.prolific_study = member.prolific_session = ""
    fields = ["rater", "withdrawn_at", "token", "prolific_pid", "prolific_study", "prolific_session"]
    member.save(update_fields=fields)


def _unname_invitations(study: Study, person: User) -> None:
    """Remove the person from the invitations that they joined by."""
    used = Invitation.objects.filter(study=study, accepted_by=person)
    subjects = [f"invitation:{pk}" for pk in used.values_list("pk", flat=True)]
    AuditEvent.objects.filter(subject__in=subjects, actor=person).update(actor=None)
    used.update(accepted_by=None, email="", pseudonym="")


def _in_batches(rows: Sequence[Assignment]) -> list[Sequence[Assignment]]:
    return [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]


def screen_if_due(assignment: Assignment, *, now: datetime) -> None:
    """Screen the rater out if they have failed more checks than allowed, or the training with its last item.

    Call it in the submit's transaction.
    """
    membership, most = assignment.membership, assignment.study.most_lapses
    if membership is not None and assignment.item.purpose == Item.Purpose.TRAINING:
        screen_after_practice(membership, now=now)
    if assignment.item.purpose != Item.Purpose.ATTENTION or most is None or membership is None:
        return
    failed = failed_checks(membership)
    if failed > most and membership.screened_out_at is None:
        screen_out(membership=membership, lapses=failed, now=now)
        membership.screened_out_at = now


def screen_after_practice(membership: Membership, *, now: datetime) -> bool:
    """Screen the rater out if their practice is over and below the pass mark; returns whether they go on.

    Call it in a transaction.
    """
    least = membership.study.least_passed
    if least is None:
        return membership.is_ongoing
    # Of two last items submitted at once neither sees the other before one of them has waited here.
    member = _locked(membership)
    found = practice_of(member)
    if member.is_ongoing and member.trained_at is None and found.is_over and found.passed < least:
        screen_out(membership=member, lapses=found.items - found.passed, now=now, failed_training=True)
        membership.screened_out_at, membership.failed_training = now, True
        return False
    return member.is_ongoing


def failed_checks(membership: Membership) -> int:
    """How many attention checks the rater's current scores fail."""
    ratings = Rating.objects.filter(
        is_current=True,
        assignment__membership=membership,
        assignment__item__purpose=Item.Purpose.ATTENTION,
        assignment__state=Assignment.State.SUBMITTED,
    )
    found = 0
    rubric = membership.study.rubric
    for rating in ratings.select_related("assignment__item__dialogue", "assignment__item__other").prefetch_related(
        "scores"
    ):
        item = rating.assignment.item
        scores = {score.metric: score.value for score in rating.scores.all()}
        found += bool(missed(scores, item.expects(rubric), item.tolerance))
    return found
