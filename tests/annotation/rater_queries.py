"""What a rater's requests send to the database."""

from collections.abc import Callable
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

# In a request, at most.
MOST = 8
# Bounds of transactions: on a server they are BEGIN and COMMIT, in a test savepoints.
BOUNDS = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT")


def asked(do: Callable[[], Any]) -> tuple[Any, list[str]]:
    """What it gives, and the statements it sent."""
    with CaptureQueriesContext(connection) as seen:
        answer = do()
    return answer, [query["sql"] for query in seen if not query["sql"].startswith(BOUNDS)]
