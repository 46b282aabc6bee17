"""Sending an invitation by mail, where the server is told how to send mail."""

from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage, get_connection

SECONDS = 10


def can_send() -> bool:
    return bool(settings.EMAIL_CONFIG)


def send_invitation(address: str, link: str, days: int) -> bool:
    """Whether the mail server took the message; the link works either way."""
    text = (
        "You are invited to a workbench for dialogue research.\n\n"
        f"Open this link and choose a user name and a password:\n\n{link}\n\n"
        f"It works once, for {days} days. If you did not expect it, ignore this message.\n"
    )
    try:
        connection = get_connection(timeout=SECONDS)
        return bool(EmailMessage("Your invitation", text, to=[address], connection=connection).send())
    except (SMTPException, OSError):
        return False
