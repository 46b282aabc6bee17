"""A full disk says so: to people on a page, to scripts in JSON, whichever part of the server met it."""

import errno
import http.client
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import DatabaseError, OperationalError, connection
from django.test import Client

from annotation.roles import Role
from config.outage import disk_is_full
from tests.browser.server import running_server
from tests.people import logged_in

MB = 2**20
# In a mount namespace of its own: a file system of a few megabytes for the database and for what is uploaded.
MOUNT = 'mount -t tmpfs -o size="$3" tmpfs "$1" && cp "$2" "$1"/db.sqlite3 && shift 3 && exec "$@"'


def full(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def small_disk(transactional_db: None, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The address of a server whose disk is small, and that disk as seen from here."""
    if connection.vendor != "sqlite":
        pytest.skip("the database is a server with a disk of its own")
    if not shutil.which("unshare") or subprocess.run(["unshare", "-Urm", "true"], capture_output=True).returncode:
        pytest.skip("this system lets nobody mount a small disk")
    connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database, disk = Path(connection.settings_dict["NAME"]), tmp_path / "disk"
    disk.mkdir()
    size = str(database.stat().st_size + 12 * MB)
    before = ["unshare", "-Urm", "sh", "-c", MOUNT, "sh", str(disk), str(database), size]
    of_its_own = {"DATABASE_URL": f"sqlite:///{disk / 'db.sqlite3'}", "TMPDIR": str(disk), "MAX_UPLOAD_MB": "40"}
    with running_server(before=before, **of_its_own) as served:
        yield urlsplit(served.url).netloc, Path(f"/proc/{served.pid}/root{disk}")


def fill(disk: Path) -> None:
    with (disk / "filler").open("wb", buffering=0) as filler, suppress(OSError):
        while filler.write(b"x" * MB):
            pass
    assert shutil.disk_usage(disk).free == 0


def sent(server: str, path: str, body: bytes, kind: str) -> tuple[int, str]:
    asked = http.client.HTTPConnection(server, timeout=60)
    try:
        asked.request("POST", path, body, {"Content-Type": kind})
        answer = asked.getresponse()
        return answer.status, answer.read().decode()
    finally:
        asked.close()


FORM, JSON = "application/x-www-form-urlencoded", "application/json"
# More than what memory keeps.
LARGE = b"y" * (4 * MB)


def test_on_a_disk_that_is_really_full_each_door_says_so_and_opens_again(small_disk: tuple[str, Path]) -> None:
    server, disk = small_disk
    assert sent(server, "/login/", b"x=" + LARGE, FORM)[0] == 403
    fill(disk)
    status, page = sent(server, "/login/", b"x=" + LARGE, FORM)
    assert (status, "disk is full" in page, "<html" in page) == (507, True, True)
    status, text = sent(server, "/api/runs/", b'{"name": "' + LARGE + b'"}', JSON)
    assert (status, "disk is full" in json.loads(text)["detail"]) == (507, True)
    (disk / "filler").unlink()
    assert sent(server, "/login/", b"x=" + LARGE, FORM)[0] == 403


def test_a_database_on_a_full_disk_is_told_as_that(small_disk: tuple[str, Path]) -> None:
    server, disk = small_disk
    fields = "username=ann&password=wrong"
    assert login_answer(server, fields) == 200
    fill(disk)
    assert [login_answer(server, f"username=name-{number}&password=wrong") for number in range(3)] == [507] * 3
    (disk / "filler").unlink()
    assert login_answer(server, fields) == 200


def login_answer(server: str, fields: str) -> int:
    """The answer to a try to log in, with the token that the form asks for."""
    asked = http.client.HTTPConnection(server, timeout=60)
    token = "a" * 32
    headers = {"Content-Type": FORM, "Cookie": f"csrftoken={token}"}
    try:
        asked.request("POST", "/login/", f"{fields}&csrfmiddlewaretoken={token}", headers)
        answer = asked.getresponse()
        answer.read()
        return answer.status
    finally:
        asked.close()


@pytest.fixture
def rater(db: None) -> Client:
    return logged_in(Role.RATER, raise_request_exception=False)


def read_pragma(cursor: Any, name: str) -> int:
    cursor.execute(f"PRAGMA {name}")
    return int(cursor.fetchone()[0])


def test_a_database_without_room_is_a_full_disk_and_not_one_that_is_away(rater: Client) -> None:
    """The database itself says it: SQLite held to the pages it has, PostgreSQL by the code of its own error."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            pages, free, size = (read_pragma(cursor, name) for name in ("page_count", "freelist_count", "page_size"))
            cursor.execute(f"PRAGMA max_page_count = {pages}")
            try:
                # More than fits in the pages that earlier tests emptied.
                with pytest.raises(DatabaseError) as caught:
                    cursor.execute(f"CREATE TABLE too_much AS SELECT zeroblob({(free + 2) * size}) AS x")
            finally:
                cursor.execute("PRAGMA max_page_count = 1073741823")
    else:
        with connection.cursor() as cursor, pytest.raises(DatabaseError) as caught:
            cursor.execute("DO $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = '53100'; END $$")
    assert disk_is_full(caught.value)

    def failing(*_: Any, **__: Any) -> None:
        raise caught.value

    with connection.execute_wrapper(failing):
        page = rater.get("/rate/")
        script = rater.post("/rate/item/any/submit/", {}, content_type="application/json")
    assert (page.status_code, script.status_code) == (507, 507)
    assert "The server's disk is full" in page.content.decode().replace("&#x27;", "'")
    assert "What was sent was not kept" in script.json()["detail"]


def test_a_file_that_cannot_be_written_is_told_too(rater: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.contrib.auth.get_user", full)
    assert rater.get("/rate/").status_code == 507


@pytest.mark.parametrize(
    ("error", "is_full"),
    [
        (OSError(errno.ENOSPC, "x"), True),
        (OSError(errno.EDQUOT, "x"), True),
        (OSError(errno.EACCES, "x"), False),
        (OperationalError("terminating connection"), False),
        (RuntimeError("database or disk is full"), False),
        (None, False),
    ],
)
def test_the_words_of_an_error_decide_nothing(error: BaseException | None, is_full: bool) -> None:
    assert disk_is_full(error) is is_full


def test_an_error_that_came_from_a_full_disk_counts() -> None:
    outer = RuntimeError("the task could not be sent")
    outer.__cause__ = OSError(errno.ENOSPC, "x")
    assert disk_is_full(outer)


def test_dev_full_is_what_it_says() -> None:
    with pytest.raises(OSError, match="No space") as caught, open("/dev/full", "wb", buffering=0) as file:  # noqa: PTH123
        file.write(b"x")
    assert disk_is_full(caught.value)
