"""Invitation links, each for one new account. Nobody can sign up without one.

A token has 256 random bits, so guessing needs no rate limit. Only its SHA-256 is stored; for a secret with full entropy
a slow hash would add nothing.
"""

import secrets
from collections.abc import Sequence
from datetime import timedelta

from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from annotation.models import Invitation, Study
from annotation.models.people import profile_of
from annotation.models.tokens import digest
from annotation.people.memberships import join
from annotation.roles import Role, role_of
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent

DAYS = 14
MOST_AT_ONCE = 50
# The roles that each role may invite others into.
OFFERS: dict[Role | None, tuple[Role, ...]] = {Role.RESEARCHER: (Role.RATER,), Role.ADMIN: tuple(Role)}


class InvitationError(Exception):
    """The link does not work: it is unknown, used, expired, revoked, or for a closed study."""


def roles_to_offer(user: User) -> tuple[Role, ...]:
    return OFFERS.get(role_of(user), ())


def studies_to_join() -> QuerySet[Study]:
    """The studies that people can be invited to: not closed, and not rated by the simulator."""
    return Study.objects.exclude(state=Study.State.CLOSED).filter(is_simulated=False)


def open_invitations(user: User) -> QuerySet[Invitation]:
    """The usable links that this person may see and revoke: all for an admin, otherwise their own."""
    usable = Invitation.objects.usable(timezone.now()).select_related("study", "created_by")
    return usable if user.has_perm("annotation.view_profile") else usable.filter(created_by=user)


@transaction.atomic
def issue(
    *, role: Role, by: User | None, count: int = 1, email: str = "", study: Study | None = None, days: int = DAYS
) -> list[str]:
    """Make `count` links; returns their tokens, which are not stored. `by=None`: the command line."""
    if by is not None and role not in roles_to_offer(by):
        raise PermissionError(f"{by.get_username()} may not invite a {role}")
    tokens = [secrets.token_urlsafe(32) for _ in range(count)]
    expires = timezone.now() + timedelta(days=days)
    for token in tokens:
        invitation = Invitation.objects.create(
            token_sha256=digest(token), role=role.value, email=email, study=study, created_by=by, expires_at=expires
        )
        AuditEvent.record(by, AuditVerb.INVITATION_CREATED, invitation, role=role.value, study=study and study.pk)
    return tokens


@transaction.atomic
def issue_list(*, wanted: Sequence[tuple[str, str]], study: Study, by: User) -> list[str]:
    """Make a rater's link to a study for each (address, pseudonym), either perhaps empty; returns the tokens."""
    tokens = [secrets.token_urlsafe(32) for _ in wanted]
    expires = timezone.now() + timedelta(days=DAYS)
    Invitation.objects.bulk_create(
        Invitation(
            token_sha256=digest(token),
            role=Role.RATER.value,
            email=email,
            pseudonym=pseudonym,
            study=study,
            created_by=by,
            expires_at=expires,
        )
        for token, (email, pseudonym) in zip(tokens, wanted, strict=True)
    )
    AuditEvent.record(by, AuditVerb.INVITATIONS_CREATED, study, links=len(tokens))
    return tokens


@transaction.atomic
def revoke(*, invitation: Invitation, by: User) -> None:
    """Revoke a link; raises InvitationError if it has been used, revoked or has expired meanwhile."""
    now = timezone.now()
    if not Invitation.objects.waiting(now).filter(pk=invitation.pk).update(revoked_at=now):
        raise InvitationError
    AuditEvent.record(by, AuditVerb.INVITATION_REVOKED, invitation)


def find(token: str) -> Invitation:
    """The usable invitation with this token; raises the same InvitationError whatever the reason."""
    usable = Invitation.objects.usable(timezone.now()).select_related("study", "created_by")
    invitation = usable.filter(token_sha256=digest(token)).first()
    if invitation is None:
        raise InvitationError
    return invitation


@transaction.atomic
def accept_with_new_account(*, invitation: Invitation, user: User) -> User:
    """Save the new account `user`, whose password is set, in the invitation's role and study, and use up the link.

    Raises InvitationError if somebody else has just used it, IntegrityError if the user name has just been taken.
    """
    _spend(invitation)
    user.email = invitation.email
    user.save()
    user.groups.add(Group.objects.get(name=invitation.role))
    profile_of(user, invitation.pseudonym)
    _settle(invitation, user)
    return user


@transaction.atomic
def accept_as_member(*, invitation: Invitation, user: User) -> None:
    """Let somebody with an account join the invitation's study; their role stays.

    Raises InvitationError; raises LeftError for somebody who withdrew and left their scores, without using up the link.
    """
    _spend(invitation)
    _settle(invitation, user)


def _spend(invitation: Invitation) -> None:
    # A conditional update: of two people who use one link at once, the second changes no row.
    now = timezone.now()
    if not Invitation.objects.waiting(now).filter(pk=invitation.pk).update(accepted_at=now):
        raise InvitationError


def _settle(invitation: Invitation, user: User) -> None:
    Invitation.objects.filter(pk=invitation.pk).update(accepted_by=user)
    if invitation.study is not None:
        join(study=invitation.study, rater=user, by=invitation.created_by)
    AuditEvent.record(user, AuditVerb.INVITATION_ACCEPTED, invitation, role=invitation.role)
