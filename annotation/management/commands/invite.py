"""Print an invitation link: the way in for a server's first admin."""

import json
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.core.validators import validate_email
from django.urls import reverse
from django.utils import timezone

from annotation.management.arguments import add_base_url, refuse_bad_base
from annotation.people import invitations
from annotation.people.mail import can_send, send_invitation
from annotation.roles import Role
from core import commands

MOST_DAYS = 90


class Command(commands.Command):
    help = "Print a link that makes one account in one role. It is shown once and works once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--role", required=True, choices=[role.value for role in Role])
        parser.add_argument("--email", default="", help="who it is for; also sent there if EMAIL_URL is set")
        parser.add_argument("--days", type=int, default=invitations.DAYS, help="until it runs out (%(default)s)")
        add_base_url(parser)
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        base, days, email = options["base_url"].rstrip("/"), options["days"], options["email"]
        check(base, days, email)
        (token,) = invitations.issue(role=Role(options["role"]), by=None, email=email, days=days)
        link = base + reverse("invitation", args=[token])
        sent = bool(email and can_send() and send_invitation(email, link, days))
        if options["json"]:
            expires = (timezone.now() + timedelta(days=days)).isoformat(timespec="seconds")
            answer = {"link": link, "role": options["role"], "email": email, "sent": sent, "expires_at": expires}
            self.stdout.write(json.dumps(answer))
        else:
            self.stdout.write(link)
            self.stderr.write(f"Makes one {options['role']}, once, within {days} days. It is not shown again.")


def check(base: str, days: int, email: str) -> None:
    """Raise CommandError, saying what to give instead, for an option that would make a useless link."""
    if not 1 <= days <= MOST_DAYS:
        raise CommandError(f"--days must be from 1 to {MOST_DAYS}.")
    refuse_bad_base(base)
    try:
        if email:
            validate_email(email)
    except ValidationError as error:
        raise CommandError(f"{email} is not an e-mail address.") from error
