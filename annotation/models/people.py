"""What the house knows of a person beside the account, and the ways in: invitations and API tokens."""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q


class Profile(models.Model):
    """A person's facts that are not their account: the name that exports use."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="profile")
    pseudonym = models.CharField(max_length=40, unique=True)
    is_simulated = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.pseudonym


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def waiting(self, now: datetime) -> Self:
        """Not used, revoked or expired. On one table, so that an update of these takes turns with its rivals."""
        return self.filter(accepted_at__isnull=True, revoked_at__isnull=True, expires_at__gt=now)

    def usable(self, now: datetime) -> Self:
        """The links that still open a door: waiting, and for no study that has been closed."""
        return self.waiting(now).filter(Q(study__isnull=True) | ~Q(study__state="closed"))


class Invitation(models.Model):
    """A link that makes one account in one role, and joins one study if it names one."""

    # SHA-256 of the token in the link: the table alone opens no door.
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
        """Not revoked; some may have run out."""
        return self.filter(revoked_at__isnull=True)

    def usable(self, now: datetime) -> Self:
        """Those that open the door now: not revoked, not run out, of an account that can log in."""
        return self.kept().filter(expires_at__gt=now, user__is_active=True)


class ApiToken(models.Model):
    """Lets a script speak as one person, with exactly that person's rights."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=80)
    # SHA-256 of the token: the table alone opens no door.
    token_sha256 = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    # To the minute, so that a script that asks often does not write often.
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
