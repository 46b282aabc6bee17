"""Django's PostgreSQL backend, except that a web process hands connections on from request to request.

A new connection costs more than most requests. Django keeps one for each thread, and finds out that it broke when the
next request fails; here whatever a request closes in order is kept for the next one, in whichever thread, and looked at
before it is used again; streams, whose threads do not last, take and give back the same way. Nothing waits for a
connection. Off until `keep_connections` is called: tests and commands must be able to drop a database that they
have left.
"""

import time
from typing import Any

from django.db.backends.postgresql import base

from config.postgresql import idle


class DatabaseWrapper(base.DatabaseWrapper):
    opened = 0.0

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        self.opened, kept = idle.take(self._address())
        if kept is None:
            self.opened, kept = time.monotonic(), super().get_new_connection(conn_params)
            _plan_cursors_whole(kept)
        return kept

    def _close(self) -> None:
        if self.connection is None or not idle.keep(self.connection, self.opened, self._address()):
            super()._close()  # type: ignore[misc]

    def _address(self) -> str:
        settings = self.settings_dict
        return "|".join(str(settings[name]) for name in ("HOST", "PORT", "USER", "NAME", "OPTIONS"))


def _plan_cursors_whole(connection: Any) -> None:
    """Have server-side cursors planned to be read to their end, as every one is here: exports, statistics.

    PostgreSQL plans one for its first tenth. Made before a table has statistics, such a plan took twenty times as long.
    """
    connection.execute("SET cursor_tuple_fraction = 1")
    connection.commit()
