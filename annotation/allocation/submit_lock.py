"""A study is closed or paused between submits, never in the middle of one.

Every submit holds its study open until it commits, any number of them at once; closing waits for those that are under
way, and whoever comes later sees it closed. On PostgreSQL this is a lock that belongs to no row, so that raters who
share it write nothing to do so. On SQLite there is one writer at a time anyway.
"""

from typing import Any

from django.db import connection
from django.db.models import BooleanField, Func

from annotation.models import Study

# Tells these locks from any others in the database.
SPACE = 5407


class HeldOpen(Func):
    """Annotate a row with this, by the key of its study, to hold the study open until the transaction ends.

    What the same statement reads of the study may be older than the lock: look again before you write.
    """

    template = f"(pg_advisory_xact_lock_shared({SPACE}, (%(expressions)s)::int) IS NULL)"
    output_field = BooleanField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="(%(expressions)s IS NULL)", **context)


def wait_for_submits(study: Study) -> None:
    """Let the submits under way end, and hold others up until this transaction ends.

    Lock the study's row before, and with `no_key`: what a skip makes anew refers to it, and would wait for us in turn.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [SPACE, study.pk])
