"""What the timer process asks for now and then."""

from celery import shared_task

from annotation.people.sessions import SessionStore


@shared_task(name="annotation.clear_sessions")
def clear_sessions() -> None:
    """Remove sessions that have run out: their browsers have forgotten them, too."""
    SessionStore.clear_expired()
