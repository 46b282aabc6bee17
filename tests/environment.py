"""The environment every test runs in, set before Django reads its settings (loaded by `-p`)."""

import atexit
import os
import secrets
import shutil
import tempfile
from pathlib import Path

_data_dir = tempfile.mkdtemp(prefix="stephanie-test-")
_made_by = os.getpid()


@atexit.register
def _remove_data_dir() -> None:
    # A forked child that ends by itself must leave the folder to its parent.
    if os.getpid() == _made_by:
        shutil.rmtree(_data_dir, ignore_errors=True)


# ServeStatic warns about a missing folder, and warnings are errors here.
Path(_data_dir, "static").mkdir()

# The folder of the process that was started first is known to all that it starts.
os.environ.setdefault("TESTS_RUN_DIR", _data_dir)
os.environ["SECRET_KEY"] = secrets.token_urlsafe(32)
os.environ["DATA_DIR"] = _data_dir
os.environ["ENV_FILE"] = ""  # whatever .env lies in this checkout
os.environ["HTTPS"] = "0"
os.environ["DEBUG"] = "1"  # static files straight from their folders; tests that want production set it themselves
os.environ["ENDPOINT_ALLOWED_HOSTS"] = "127.0.0.1,localhost"
# Playwright runs an event loop in the main thread beside Django's synchronous ORM.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

# Parallel test processes share one Redis server, so each takes a database of its own.
_worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
if os.environ.get("REDIS_URL"):
    _base, _, _number = os.environ["REDIS_URL"].rpartition("/")
    os.environ["REDIS_URL"] = f"{_base}/{int(_number or 0) + int(_worker)}"
