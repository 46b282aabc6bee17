"""People beyond their accounts: profiles and pseudonyms, invitations, API tokens, and password tries."""

import secrets
from contextlib import suppress
from datetime import datetime
from typing import Self

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, models
from django.db.models import Q


class Profile(models.Model):
    """What is known of a person besides their account: the name that exports use."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="profile")
    pseudonym = models.CharField(max_length=40, unique=True)
    is_simulated = models.BooleanField(default=False)
    # Stands for somebody who rated elsewhere; nobody can log in to the account.
    is_imported = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.pseudonym


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def waiting(self, now: datetime) -> Self:
        """Not used, revoked or expired. Reads one table only, so that concurrent updates of these take turns."""
        return self.filter(accepted_at__isnull=True, revoked_at__isnull=True, expires_at__gt=now)

    def usable(self, now: datetime) -> Self:
        """Links that still work: waiting, and not for a study that has been closed."""
        return self.waiting(now).filter(Q(study__isnull=True) | ~Q(study__state="closed"))


class Invitation(models.Model):
    """A link that makes one account in one role, and joins one study if it names one."""

    # SHA-256 of the token in the link: reading the table gives nobody access.
    token_sha256 = models.CharField(max_length=64, unique=True)
    role = models.CharField(max_length=20)
    email = models.EmailField(blank=True)
    # What exports will call the person; empty: drawn at random.
    pseudonym = models.CharField(max_length=40, blank=True)
    study = models.ForeignKey("Study", models.CASCADE, null=True, blank=True, related_name="invitations")
    # Null: made on the server's command line, for a server that has no admin yet.
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="invitations_sent"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="invitations_accepted"
    )

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ("-pk",)
        constraints = [
            models.CheckConstraint(
                condition=Q(accepted_at__isnull=True) | Q(revoked_at__isnull=True), name="invitation_ends_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} invitation {self.pk}"


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def kept(self) -> Self:
        """Not revoked; some may have expired."""
        return self.filter(revoked_at__isnull=True)

    def usable(self, now: datetime) -> Self:
        """Tokens that work now: not revoked, not expired, and of an account that can log in."""
        return self.kept().filter(expires_at__gt=now, user__is_active=True)


class ApiToken(models.Model):
    """Lets a script speak as one person, with exactly that person's rights."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=80)
    # SHA-256 of the token: reading the table gives nobody access.
    token_sha256 = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    # To the minute, so that frequent requests of a script do not write each time.
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        ordering = ("-pk",)
        verbose_name = "API token"
        constraints = [
            # A form that is sent twice makes one token.
            models.UniqueConstraint(
                fields=["user", "name"], condition=Q(revoked_at__isnull=True), name="api_token_name_once_a_person"
            ),
        ]

    def __str__(self) -> str:
        return self.name


# Without letters and digits that are easily confused.
PSEUDONYM_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
PSEUDONYM_LENGTH = 4
PSEUDONYM_DRAWS = 20


def profile_of(user: User, pseudonym: str = "") -> Profile:
    """The user's profile, made when first needed (accounts from `createsuperuser` have none).

    Its pseudonym is the given one if it is free, or else drawn at random. Raises RuntimeError if `PSEUDONYM_DRAWS`
    draws in a row were taken.
    """
    for _ in range(PSEUDONYM_DRAWS):
        # The pseudonym is taken, or another process has just made the profile: look and draw again.
        with suppress(IntegrityError):
            return Profile.objects.get_or_create(user=user, defaults={"pseudonym": pseudonym or _pseudonym()})[0]
        pseudonym = ""
    raise RuntimeError(
        f"no free pseudonym in {PSEUDONYM_DRAWS} draws: make annotation.models.people.PSEUDONYM_LENGTH larger"
    )


def _pseudonym() -> str:
    return "rater-" + "".join(secrets.choice(PSEUDONYM_LETTERS) for _ in range(PSEUDONYM_LENGTH))


class PasswordTries(models.Model):
    """The recent password tries for one name from one place.

    A place is a browser or a network from which this password has been right before; the row with an empty place counts
    everywhere else together. It is a keyed hash, so neither the cookie nor the address can be read from it.
    """

    # As it was typed: an unknown name is counted like a known one.
    username = models.CharField(max_length=150)
    place = models.CharField(max_length=64, blank=True)
    count = models.PositiveSmallIntegerField(default=0)
    last_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "password tries"
        constraints = [models.UniqueConstraint(fields=["username", "place"], name="password_tries_once_a_place")]

    def __str__(self) -> str:
        return f"{self.count} from {'a known place' if self.place else 'elsewhere'}"
