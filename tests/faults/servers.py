"""Redis and PostgreSQL servers of one's own, which may be killed: each on a free port, gone at the end."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import redis

from tests.demo_process import free_port
from tests.waiting import until

POSTGRES_PLACES = "/usr/lib/postgresql"
PATIENCE = 60.0  # seconds a server has to come up or go down


class MissingServerError(Exception):
    """A server program that is not on this machine; the text says what to install."""


def redis_program() -> str:
    """Raises MissingServerError."""
    found = shutil.which("redis-server")
    if found is None:
        raise MissingServerError("redis-server is not on this machine: `apt-get install redis-server`.")
    return found


def postgres_programs() -> Path:
    """The folder of the newest PostgreSQL's programs; raises MissingServerError."""
    folders = [path.parent for path in Path(POSTGRES_PLACES).glob("*/bin/initdb")]
    on_path = shutil.which("initdb")
    if on_path:
        folders.append(Path(on_path).resolve().parent)
    if not folders:
        raise MissingServerError(
            f"PostgreSQL's initdb is neither in {POSTGRES_PLACES}/*/bin nor on PATH: `apt-get install postgresql`."
        )
    return max(folders, key=_version)


def _version(folder: Path) -> float:
    """15 for /usr/lib/postgresql/15/bin; 0 where the path does not say."""
    try:
        return float(folder.parent.name)
    except ValueError:
        return 0.0


class PrivateRedis:
    """A Redis without persistence: what it held is lost whenever it is killed."""

    def __init__(self) -> None:
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        command = [redis_program(), "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
        until(self._answers, "Redis comes up")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE)
            self._process = None

    def flush(self) -> None:
        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url) as client:
                return bool(client.ping())
        except redis.ConnectionError:
            return False


class PrivatePostgres:
    """A PostgreSQL cluster of its own; a crash keeps what was committed, as a power cut would."""

    def __init__(self) -> None:
        self.port = free_port()
        self._programs = postgres_programs()
        # PostgreSQL refuses to run as root.
        self._user = "postgres" if os.geteuid() == 0 else None
        self._folder = Path(tempfile.mkdtemp(prefix="stephanie-pg-", dir="/tmp"))
        self._process: subprocess.Popen[bytes] | None = None
        if self._user:
            entry = pwd.getpwnam(self._user)
            os.chown(self._folder, entry.pw_uid, entry.pw_gid)

    @property
    def url(self) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/postgres"

    def create(self) -> None:
        """Make the cluster and start it."""
        command = [
            str(self._programs / "initdb"), "-D", str(self._folder / "data"), "-U", "postgres", "--auth=trust", "-N",
            "--encoding=UTF8", "--locale=C.UTF-8",
        ]  # fmt: skip
        subprocess.run(command, check=True, user=self._user, cwd="/", stdout=subprocess.DEVNULL)
        self.start()

    def start(self) -> None:
        command = [
            str(self._programs / "postgres"), "-D", str(self._folder / "data"), "-p", str(self.port),
            "-k", str(self._folder), "-c", "listen_addresses=127.0.0.1", "-c", "max_connections=60",
            "-c", "shared_buffers=64MB",
        ]  # fmt: skip
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, user=self._user, cwd="/", stdout=log, stderr=log)
        until(self._answers, "PostgreSQL comes up")

    def crash(self) -> None:
        """Stop at once, without a checkpoint: every connection breaks, and the next start recovers from the log."""
        self._end(signal.SIGQUIT)

    def remove(self) -> None:
        self._end(signal.SIGINT)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(PATIENCE)
            self._process = None

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def private_redis() -> Iterator[PrivateRedis]:
    server = PrivateRedis()
    server.start()
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def private_postgres() -> Iterator[PrivatePostgres]:
    server = PrivatePostgres()
    try:
        server.create()
        yield server
    finally:
        server.remove()
