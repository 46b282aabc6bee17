"""What the timer process asks for now and then."""

from celery import shared_task
from django.utils import timezone

from annotation.people import password_tries
from annotation.people.sessions import SessionStore


@shared_task(name="annotation.clear_sessions")
def clear_sessions() -> None:
    """Remove sessions that have run out, which their browsers have forgotten too, and counts of tries that are over."""
    SessionStore.clear_expired()
    password_tries.clear_expired(timezone.now())
