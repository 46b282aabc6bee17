"""Periodic tasks."""

from celery import shared_task
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone

from annotation.people import password_tries


@shared_task(name="annotation.clear_sessions")
def clear_sessions() -> None:
    """Delete expired sessions, and counts of password tries that are over."""
    SessionStore.clear_expired()
    password_tries.clear_expired(timezone.now())
