"""`manage.py flush`: Django's own, past the triggers that refuse to delete what is frozen."""

from typing import Any

from django.core.management.commands import flush

from generation import triggers


class Command(flush.Command):
    """SQLite empties a table row by row, and there the triggers would speak."""

    def handle(self, **options: Any) -> None:
        with triggers.TRIGGERS.lifted(options["database"]):
            super().handle(**options)
