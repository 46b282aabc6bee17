"""Triggers that make the database itself refuse to change rows, on PostgreSQL and SQLite alike.

Models refuse first, with a better sentence; triggers hold where rows are written past the models: a script, a shell, an
`update()`. Each app says only which rules it has.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS, connections, router
from django.db.backends.base.base import BaseDatabaseWrapper

_SQLITE_TRIGGER = "CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW WHEN {when} BEGIN SELECT {refuse}; END"
_POSTGRES_FUNCTION = """
CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF {when} THEN
    RAISE EXCEPTION USING ERRCODE = 'restrict_violation', MESSAGE = '{message}';
  END IF;
  IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
  RETURN NEW;
END $$
"""
_POSTGRES_TRIGGER = "CREATE OR REPLACE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()"


class Rule(NamedTuple):
    """One trigger: refuse `event` ("INSERT", "UPDATE" or "DELETE") on `table` when the SQL condition `when` holds."""

    name: str
    table: str
    event: str
    when: str
    # Said instead of the app's message.
    message: str = ""


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Triggers:
    """The triggers of one app, refusing with one `message` unless a rule has its own.

    `columns` names the tables that must exist, each with the columns that the rules mention.
    """

    app: str
    message: str
    columns: Mapping[str, Sequence[str]]
    rules: Sequence[Rule]

    def install(self, using: str = DEFAULT_DB_ALIAS, **kwargs: Any) -> None:
        """Install exactly these triggers; connect it to `post_migrate`, because SQLite may have lost them."""
        connection = connections[using]
        if not self._has_tables(connection) or not self._has_columns(connection):
            return
        self.remove(using)
        with connection.cursor() as cursor:
            for rule in self.rules:
                for statement in _creating(connection.vendor, rule, rule.message or self.message):
                    cursor.execute(statement)

    def remove(self, using: str = DEFAULT_DB_ALIAS, **kwargs: Any) -> None:
        """Drop them; connect it to `pre_migrate`, because SQLite rebuilds a table by emptying and renaming it."""
        connection = connections[using]
        if not self._has_tables(connection):
            return
        with connection.cursor() as cursor:
            for rule in self.rules:
                of_table = f" ON {rule.table}" if connection.vendor == "postgresql" else ""
                cursor.execute(f"DROP TRIGGER IF EXISTS {rule.name}{of_table}")

    @contextmanager
    def lifted(self, using: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
        """Without the triggers, to write past them on purpose."""
        self.remove(using)
        try:
            yield
        finally:
            self.install(using)

    def _has_tables(self, connection: BaseDatabaseWrapper) -> bool:
        """False for a database without this app, or before its first migration."""
        if not router.allow_migrate(connection.alias, self.app):
            return False
        return set(self.columns) <= set(connection.introspection.table_names())

    def _has_columns(self, connection: BaseDatabaseWrapper) -> bool:
        """False after a migration backwards, when columns that the rules mention are missing."""
        return all(set(columns) <= _columns(connection, table) for table, columns in self.columns.items())


def differs(columns: Sequence[str]) -> str:
    """The condition that an update changes any of these columns, in SQL that both engines know."""
    same = (f'(OLD."{name}" = NEW."{name}" OR (OLD."{name}" IS NULL AND NEW."{name}" IS NULL))' for name in columns)
    return f"NOT COALESCE({' AND '.join(same)}, FALSE)"


def _creating(vendor: str, rule: Rule, message: str) -> Iterator[str]:
    if vendor == "postgresql":
        yield _POSTGRES_FUNCTION.format(name=rule.name, when=rule.when, message=message)
        yield _POSTGRES_TRIGGER.format(**rule._asdict())
    else:
        yield _SQLITE_TRIGGER.format(**rule._asdict(), refuse=f"RAISE(ABORT, '{message}')")


def _columns(connection: BaseDatabaseWrapper, table: str) -> set[str]:
    with connection.cursor() as cursor:
        return {column.name for column in connection.introspection.get_table_description(cursor, table)}
