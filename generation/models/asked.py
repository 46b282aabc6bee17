"""Runs that a script asked for under a name of its own choosing, so that a repeated question makes no second run."""

from django.conf import settings
from django.db import models

from generation.models.runs import Run


class AskedRun(models.Model):
    """One `Idempotency-Key` of one person, and the run it made."""

    LONGEST_KEY = 200

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    key = models.CharField(max_length=LONGEST_KEY)
    # Of what was asked, so that another question under the same key is noticed.
    body_sha256 = models.CharField(max_length=64)
    run = models.ForeignKey(Run, models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="asked_run_key_once_a_person")]

    def __str__(self) -> str:
        return self.key
