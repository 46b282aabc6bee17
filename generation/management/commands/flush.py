"""`manage.py flush`: Django's own, with the triggers lifted that refuse to delete frozen rows."""

from typing import Any

from django.core.management.commands import flush

from generation import triggers


class Command(flush.Command):
    """SQLite deletes row by row, so the triggers would refuse."""

    def handle(self, **options: Any) -> None:
        with triggers.TRIGGERS.lifted(options["database"]):
            super().handle(**options)
