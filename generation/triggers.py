"""The database's own refusal to change what is frozen, whoever asks it and however.

The models refuse first, with a better sentence; this holds where rows are written past them: a script, a shell, an
`update()`. Content never changes; who made a set (a user may be deleted) and what it was cloned from may be forgotten.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, router
from django.db.backends.base.base import BaseDatabaseWrapper

FROZEN = "This is frozen, so it never changes. Make a new version instead."
# Name, table, event, and when it is refused.
Rule = tuple[str, str, str, str]
SET, EXAMPLE, PROMPT = "generation_exampleset", "generation_example", "generation_prompt"
SET_COLUMNS = ("id", "name", "kind", "version", "note", "snapshot_of_id", "revision", "created_at", "frozen_at")
PROMPT_COLUMNS = ("id", "stage", "version", "is_trial", "system", "user", "sha256", "created_at", "frozen_at")

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


def install(using: str = DEFAULT_DB_ALIAS, **kwargs: Any) -> None:
    """Make the database hold exactly these triggers; runs after every migration, which on SQLite may have lost them."""
    connection = connections[using]
    if not _has_tables(connection) or not _is_as_far(connection):
        return
    remove(using)
    with connection.cursor() as cursor:
        for statement in statements(connection.vendor, _rules(), FROZEN):
            cursor.execute(statement)


def remove(using: str = DEFAULT_DB_ALIAS, **kwargs: Any) -> None:
    """Take them away; runs before every migration, because SQLite rebuilds a table by emptying and renaming it."""
    connection = connections[using]
    if not _has_tables(connection):
        return
    with connection.cursor() as cursor:
        for name, table, _, _ in _rules():
            cursor.execute(drop_statement(connection.vendor, name, table))


@contextmanager
def lifted(using: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """Without the triggers, for emptying the whole database."""
    remove(using)
    try:
        yield
    finally:
        install(using)


def _rules() -> Iterator[Rule]:
    for label, table, columns in (("set", SET, SET_COLUMNS), ("prompt", PROMPT, PROMPT_COLUMNS)):
        yield f"frozen_{label}_update", table, "UPDATE", f"OLD.frozen_at IS NOT NULL AND ({differs(columns)})"
        yield f"frozen_{label}_delete", table, "DELETE", "OLD.frozen_at IS NOT NULL"
    into, out_of = _frozen("NEW.example_set_id"), _frozen("OLD.example_set_id")
    yield "frozen_example_insert", EXAMPLE, "INSERT", into
    yield "frozen_example_update", EXAMPLE, "UPDATE", f"{into} OR {out_of}"
    yield "frozen_example_delete", EXAMPLE, "DELETE", out_of


def differs(columns: Sequence[str]) -> str:
    """Whether an update changes any of these, in words that both engines know."""
    same = (f"(OLD.{name} = NEW.{name} OR (OLD.{name} IS NULL AND NEW.{name} IS NULL))" for name in _quoted(columns))
    return f"NOT COALESCE({' AND '.join(same)}, FALSE)"


def _quoted(columns: Sequence[str]) -> Iterator[str]:
    return (f'"{name}"' for name in columns)


def _frozen(key: str) -> str:
    return f"EXISTS (SELECT 1 FROM {SET} WHERE id = {key} AND frozen_at IS NOT NULL)"  # noqa: S608 - names of ours


def drop_statement(vendor: str, name: str, table: str) -> str:
    of_table = f" ON {table}" if vendor == "postgresql" else ""
    return f"DROP TRIGGER IF EXISTS {name}{of_table}"


def statements(vendor: str, rules: Iterable[Rule], message: str) -> Iterator[str]:
    """What makes the database refuse each rule's event with the message."""
    for name, table, event, when in rules:
        if vendor == "postgresql":
            yield _POSTGRES_FUNCTION.format(name=name, when=when, message=message)
            yield _POSTGRES_TRIGGER.format(name=name, event=event, table=table)
        else:
            refuse = f"RAISE(ABORT, '{message}')"
            yield _SQLITE_TRIGGER.format(name=name, event=event, table=table, when=when, refuse=refuse)


def _has_tables(connection: BaseDatabaseWrapper) -> bool:
    """False for a database without this app, or before its first migration."""
    if not router.allow_migrate(connection.alias, "generation"):
        return False
    return {SET, EXAMPLE, PROMPT} <= set(connection.introspection.table_names())


def _is_as_far(connection: BaseDatabaseWrapper) -> bool:
    """Whether the tables have all columns that the triggers speak of; after a migration backwards they may not."""
    return has_columns(connection, SET, SET_COLUMNS) and has_columns(connection, PROMPT, PROMPT_COLUMNS)


def has_columns(connection: BaseDatabaseWrapper, table: str, columns: Sequence[str]) -> bool:
    with connection.cursor() as cursor:
        found = connection.introspection.get_table_description(cursor, table)
    return set(columns) <= {column.name for column in found}
