"""The Celery task that looks after computations; those that compute are in the apps.

The registered task names must not change: workers read messages that an earlier version queued.
"""

from celery import shared_task
from django.utils import timezone

from core import computations


@shared_task(name="core.sweep_computations")
def sweep_computations() -> None:
    """Find computations that no worker was told of, and remove old ones."""
    computations.sweep(timezone.now())
