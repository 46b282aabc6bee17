"""E-mail, if the server is configured to send it. No message contains a score, a version or a study's internal name."""

from collections.abc import Sequence
from contextlib import suppress
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend

SECONDS = 10
# After this many failures in a row the mail server counts as down, and the rest is not tried.
GIVE_UP_AFTER = 3


def can_send() -> bool:
    return bool(settings.EMAIL_CONFIG)


def send_invitation(address: str, link: str, days: int) -> bool:
    """Send an invitation; returns whether the mail server accepted it. The link works in any case."""
    return send_invitations([(address, link)], days)[0]


def send_invitations(letters: Sequence[tuple[str, str]], days: int) -> list[bool]:
    """Send an invitation to each (address, link); returns which ones the mail server accepted."""
    return send_all([("Your invitation", invitation_text(link, days), address) for address, link in letters])


def invitation_text(link: str, days: int) -> str:
    return (
        "You are invited to a workbench for dialogue research.\n\n"
        f"Open this link and choose a user name and a password:\n\n{link}\n\n"
        f"It works once, for {days} days. If you did not expect it, ignore this message.\n"
    )


def reminder_text(public_name: str, link: str) -> str:
    return (
        f"You take part in “{_one_line(public_name)}”, and some dialogues still wait for you.\n\n"
        f"Go on where you left off:\n\n{link}\n\n"
        "What you have done is kept. If you do not want to go on, you can withdraw there, or ignore this message.\n"
    )


def send_all(letters: Sequence[tuple[str, str, str]]) -> list[bool]:
    """Send each (subject, text, address) over one connection; returns which ones the mail server accepted."""
    taken: list[bool] = []
    connection = get_connection(timeout=SECONDS)
    for subject, text, address in letters:
        is_down = len(taken) >= GIVE_UP_AFTER and not any(taken[-GIVE_UP_AFTER:])
        message = EmailMessage(subject, text, to=[address], connection=connection)
        taken.append(not is_down and _sent(message, connection))
    _close(connection)
    return taken


def _sent(message: EmailMessage, connection: BaseEmailBackend) -> bool:
    try:
        # Open it first: `send` closes a connection that it opened itself after each message.
        connection.open()
        return bool(message.send())
    except (SMTPException, OSError):
        _close(connection)
        return False


def _close(connection: BaseEmailBackend) -> None:
    with suppress(SMTPException, OSError):
        connection.close()


def _one_line(text: str) -> str:
    return " ".join(text.split())
