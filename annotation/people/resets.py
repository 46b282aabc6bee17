"""Links for choosing a new password after forgetting it; an admin makes them and passes them on.

Django signs the token; nothing is stored. It ends with the next log-in or password change, or after
`PASSWORD_RESET_TIMEOUT` seconds.
"""

from django.contrib.auth.models import User
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db import transaction
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from annotation.people.members import SUPERUSER, MemberError, in_turn, outranks
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent


class Tokens(PasswordResetTokenGenerator):
    """Django's tokens, which here also end when the account is deactivated or becomes a superuser's."""

    def _make_hash_value(self, user: User, timestamp: int) -> str:
        # A link made by an admin must not work once only a superuser may change the account.
        rank = f"{user.is_active}{user.is_superuser}"
        return f"{super()._make_hash_value(user, timestamp)}{rank}"


TOKENS = Tokens()


def why_not_reset(*, person: User, by: User) -> str:
    if not person.is_active:
        return "This account is deactivated. Reactivate it first."
    if not person.has_usable_password():
        return "Nobody logs in to this account, so it has no password."
    return SUPERUSER if outranks(person, by) else ""


@transaction.atomic
def issue(*, person: User, by: User) -> str:
    """Make a link; returns its path, which is not stored. Raises MemberError with the reason if that is not allowed."""
    person = in_turn(person)
    if reason := why_not_reset(person=person, by=by):
        raise MemberError(reason)
    AuditEvent.record(by, AuditVerb.RESET_LINK_CREATED, person)
    return reverse("password_reset", args=[urlsafe_base64_encode(force_bytes(person.pk)), TOKENS.make_token(person)])


@transaction.atomic
def spend(*, person: User, token: str) -> bool:
    """Save the password set on `person`; False if the link has ended meanwhile."""
    if not TOKENS.check_token(in_turn(person), token):
        return False
    person.save(update_fields=["password"])
    AuditEvent.record(person, AuditVerb.PASSWORD_RESET, person)
    return True
