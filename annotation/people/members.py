"""Accounts and their roles: find people, change a role, deactivate and reactivate an account.

Each change comes as a pair: `why_not_…` returns the reason against it, which the page shows, or an empty text; the
other function makes the change or raises MemberError with that reason.
"""

from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from annotation.models import Invitation, Membership, Study
from annotation.people import acquaintance, api_tokens
from annotation.people.acquaintance import OPENS_DIALOGUES
from annotation.people.invitations import OFFERS
from annotation.roles import Role, role_of
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent

# Filters of the People page, besides roles.
DEACTIVATED, SIMULATED, IMPORTED = "deactivated", "simulated", "imported"
SHOWN = {
    "": "Everyone",
    Role.RATER.value: "Raters",
    Role.RESEARCHER.value: "Researchers",
    Role.ADMIN.value: "Admins",
    DEACTIVATED: "Deactivated",
    SIMULATED: "Simulated raters",
    IMPORTED: "Imported raters",
}

# Accounts that are nobody's.
NOBODYS = {SIMULATED: Q(profile__is_simulated=True), IMPORTED: Q(profile__is_imported=True)}


class MemberError(ValueError):
    """A change that is not allowed; the text says why."""


def people(search: str = "", shown: str = "") -> QuerySet[User]:
    """Accounts sorted by name; without those of the simulator and of imported ratings, unless asked for."""
    found = User.objects.select_related("profile").prefetch_related("groups").order_by("username")
    if shown in NOBODYS:
        found = found.filter(NOBODYS[shown])
    else:
        found = found.exclude(Q(profile__is_simulated=True) | Q(profile__is_imported=True))
    if shown == DEACTIVATED:
        found = found.filter(is_active=False)
    elif shown == Role.ADMIN:
        found = found.filter(_is_admin()).distinct()
    elif shown in SHOWN and shown not in ("", *NOBODYS):
        found = found.filter(groups__name=shown)
    if search:
        texts = ("username", "email", "first_name", "last_name", "profile__pseudonym")
        hits = Q()
        for text in texts:
            hits |= Q(**{f"{text}__icontains": search})
        found = found.filter(hits)
    return found


def why_not_change_role(*, person: User, role: Role, by: User) -> str:
    if outranks(person, by):
        return SUPERUSER
    if role_of(person) == Role.ADMIN != role and _is_last_admin(person):
        return _LAST_ADMIN
    return ""


def why_not_deactivate(*, person: User, by: User) -> str:
    if person.pk == by.pk:
        return "You cannot deactivate yourself. Another admin can."
    if outranks(person, by):
        return SUPERUSER
    return _LAST_ADMIN if _is_last_admin(person) else ""


@transaction.atomic
def change_role(*, person: User, role: Role, by: User) -> None:
    """Give someone exactly this role; raises MemberError with the reason if that is not allowed."""
    person = in_turn(person)
    before = role_of(person)
    _refuse(why_not_change_role(person=person, role=role, by=by))
    person.groups.remove(*Group.objects.filter(name__in=[other.value for other in Role if other != role]))
    person.groups.add(Group.objects.get(name=role.value))
    if person.is_superuser:
        person.is_superuser = person.is_staff = False
        person.save(update_fields=["is_superuser", "is_staff"])
    _revoke_links(person, [beyond for beyond in Role if beyond not in OFFERS.get(role, ())])
    AuditEvent.record(by, AuditVerb.ROLE_CHANGED, person, before=before, after=role.value)
    _note_what_they_rate(User.objects.get(pk=person.pk), role, by)


@transaction.atomic
def deactivate(*, person: User, by: User) -> None:
    """Deactivate an account: sessions end, invitations and API tokens are revoked, ratings stay."""
    person = in_turn(person)
    _refuse(why_not_deactivate(person=person, by=by))
    User.objects.filter(pk=person.pk).update(is_active=False)
    _revoke_links(person, list(Role))
    api_tokens.revoke_all(user=person, by=by)
    AuditEvent.record(by, AuditVerb.ACCOUNT_DEACTIVATED, person)


@transaction.atomic
def reactivate(*, person: User, by: User) -> None:
    User.objects.filter(pk=person.pk).update(is_active=True)
    AuditEvent.record(by, AuditVerb.ACCOUNT_REACTIVATED, person)


BECAME = "became a researcher or admin, who may open its dialogues, while rating"
_LAST_ADMIN = "This is the last admin who can log in. Make somebody else an admin first."
SUPERUSER = "This account owns the server (a superuser). Only another superuser can change it."


def _note_what_they_rate(person: User, role: Role, by: User) -> None:
    """Record in their studies that they can now open what they rate."""
    rates = Membership.objects.filter(rater=person, withdrawn_at__isnull=True).exclude(study__state=Study.State.CLOSED)
    for member in rates.select_related("study") if person.has_perm(OPENS_DIALOGUES) else []:
        acquaintance.record(member, how=BECAME, reason=f"The role was changed to {role.value}.", by=by)


def _refuse(reason: str) -> None:
    if reason:
        raise MemberError(reason)


def _is_admin() -> Q:
    return Q(is_superuser=True) | Q(groups__name=Role.ADMIN.value)


def outranks(person: User, by: User) -> bool:
    return person.is_superuser and not by.is_superuser


def active_admins() -> QuerySet[User]:
    """The admins who can log in."""
    return User.objects.filter(_is_admin(), is_active=True)


def _is_last_admin(person: User) -> bool:
    others = active_admins().exclude(pk=person.pk)
    return person.is_active and role_of(person) == Role.ADMIN and not others.exists()


def in_turn(person: User) -> User:
    """The account as stored now; takes a lock, so that of two admins who demote each other at once one stays admin."""
    Group.objects.select_for_update().get(name=Role.ADMIN.value)
    return User.objects.get(pk=person.pk)


def _revoke_links(person: User, roles: list[Role]) -> None:
    """Revoke the links for roles that someone can no longer invite to."""
    now = timezone.now()
    Invitation.objects.waiting(now).filter(created_by=person, role__in=roles).update(revoked_at=now)
