"""The lock between submits and closing: a study is never closed or paused in the middle of a submit.

Any number of submits share the lock until they commit; closing waits for them, and later submits find the study closed.
On PostgreSQL it is an advisory lock, so sharing it writes no row. SQLite has one writer at a time anyway.
"""

from typing import Any

from django.db import connection
from django.db.models import BooleanField, Func

from annotation.models import Study

# The first key of these advisory locks, to tell them from others in the database.
SPACE = 5407


class HeldOpen(Func):
    """Annotate a query with `HeldOpen("study_id")` to share the study's lock until the transaction ends.

    The study's state that the same statement reads may be older than the lock: check it again before you write.
    """

    template = f"(pg_advisory_xact_lock_shared({SPACE}, (%(expressions)s)::int) IS NULL)"
    output_field = BooleanField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="(%(expressions)s IS NULL)", **context)


def wait_for_submits(study: Study) -> None:
    """Wait for running submits and block new ones until this transaction ends.

    Lock the study's row first, with `no_key`: a skip inserts a row that refers to it and would otherwise deadlock.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [SPACE, study.pk])
