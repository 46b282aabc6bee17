"""Write to raters who have been silent: for a timer, or to see who they are."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from annotation.management.arguments import add_base_url, named_study, refuse_bad_base
from annotation.people.mail import can_send
from annotation.recruitment.reminders import DAYS, MOST_DAYS, Idle, ReminderError, idle_raters, remind
from core import commands


class Command(commands.Command):
    help = "Send a reminder to the raters of an open study who have not been seen for some days."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("study", help="name or number of the study")
        parser.add_argument("--idle-days", type=int, default=DAYS, help="not seen for this many days (%(default)s)")
        parser.add_argument("--dry-run", action="store_true", help="list who would get a reminder, and send nothing")
        add_base_url(parser)
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        study, days, base = named_study(options["study"]), options["idle_days"], options["base_url"].rstrip("/")
        if not 0 <= days <= MOST_DAYS:
            raise CommandError(f"--idle-days must be from 0 to {MOST_DAYS}.")
        now = timezone.now()
        if options["dry_run"]:
            found = [(one, False) for one in idle_raters(study, days, now)] if study.is_open else []
        else:
            if not can_send():
                raise CommandError("This server sends no mail: set EMAIL_URL, or use --dry-run to see who is due.")
            refuse_bad_base(base)
            try:
                found = remind(study=study, days=days, base=base, by=None, now=now)
            except ReminderError as error:
                raise CommandError(str(error)) from error
        self._tell(study.name, found, options)

    def _tell(self, name: str, found: list[tuple[Idle, bool]], options: dict[str, Any]) -> None:
        rows = [
            {
                "rater": one.membership.rater.get_username(),
                "email": one.address,
                "rated": one.done,
                "last_seen": one.seen.isoformat(timespec="seconds"),
                "reminded_lately": one.reminded,
                "sent": sent,
            }
            for one, sent in found
        ]
        if options["json"]:
            self.stdout.write(json.dumps({"study": name, "dry_run": options["dry_run"], "raters": rows}))
            return
        for row in rows:
            said = "sent" if row["sent"] else "would be written to" if options["dry_run"] else "not sent"
            said = "was reminded lately" if row["reminded_lately"] else said
            said = said if row["email"] else "has no address"
            self.stdout.write(f"{row['rater']}: last seen {row['last_seen']}, {said}")
        if not rows:
            self.stdout.write("Nobody to remind.")
