"""The test database: migrated once and copied for every process of a run, and emptied without rewriting every table."""

import fcntl
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection
from psycopg.sql import SQL, Identifier

# A folder that every process of this run knows; it goes when the run ends.
# A benchmark is run by hand, beside no test run.
RUN = Path(os.environ.get("TESTS_RUN_DIR") or mkdtemp())
MIGRATED = RUN / "migrated"


def begin_migrated() -> None:
    """Let this process's test database begin as a copy of one that the first process of the run migrates."""
    database = connection.settings_dict
    database.setdefault("TEST", {})
    if connection.vendor == "sqlite":
        _make_once(str(RUN / "migrated.sqlite3"))
        # A file, as in production: threads and other processes see one database, with its real locks.
        database["TEST"]["NAME"] = str(settings.DATA_DIR / "test.sqlite3")
        shutil.copyfile(RUN / "migrated.sqlite3", database["TEST"]["NAME"])
        # No test pulls the plug, and waiting for the disk is a third of what tests of runs take.
        options = database["OPTIONS"]
        options["init_command"] = options["init_command"].replace("synchronous=FULL", "synchronous=OFF")
    else:
        _make_once(_template())
        database["TEST"]["TEMPLATE"] = _template()
        options = database["OPTIONS"]
        options["options"] = f"{options.get('options', '')} -c synchronous_commit=off".strip()


def empty_quickly() -> None:
    """Empty PostgreSQL's tables after a test that committed by deleting what is in them.

    Django truncates all of them, and PostgreSQL then writes some 150 new files: a second and more on a busy machine.
    """
    truncating = connection.ops.sql_flush

    def deleting(style: Any, tables: Sequence[str], **options: bool) -> list[str]:
        if not _is_superuser():
            return list(truncating(style, tables, **options))
        emptied = [f"DELETE FROM {connection.ops.quote_name(table)}" for table in tables]
        return ["SET LOCAL session_replication_role = replica", *emptied, "SET LOCAL session_replication_role = origin"]

    if connection.vendor == "postgresql":
        connection.ops.sql_flush = deleting


def drop_template() -> None:
    """Drop what PostgreSQL's databases were copied from, when the run is over; SQLite's goes with its folder."""
    if MIGRATED.exists() and connection.vendor == "postgresql":
        server = os.environ["DATABASE_URL"].rpartition("/")[0]
        with psycopg.connect(f"{server}/postgres", autocommit=True) as administrator:
            administrator.execute(SQL("DROP DATABASE IF EXISTS {}").format(Identifier(_template())))


def _make_once(name: str) -> None:
    """A database of this name with every migration and its reference rows, unless another process has made it."""
    with (RUN / "migrating").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not MIGRATED.exists():
            _migrate(name)
            MIGRATED.touch()


def _migrate(name: str) -> None:
    database = connection.settings_dict
    own, test_name = database["NAME"], database["TEST"].get("NAME")
    database["TEST"]["NAME"] = name
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    connection.close()
    database["TEST"]["NAME"] = test_name
    database["NAME"] = settings.DATABASES["default"]["NAME"] = own


def _template() -> str:
    return f"test_{os.environ['DATABASE_URL'].rpartition('/')[2].partition('?')[0]}_migrated"


def _is_superuser() -> bool:
    """Whether triggers and foreign keys, which look at each row, can be left out while everything goes."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW is_superuser")
        return bool(cursor.fetchone() == ("on",))
