"""`make start`: the product on this machine, for one's own work; Ctrl-C stops all of it and keeps the data.

Settings come from where every command reads them (`config.environment`). The defaults suit one machine: SQLite and a
broker of files in DATA_DIR, plain HTTP on loopback, secrets made at the first start.
"""

import argparse
import os
import sys

from config import environment, launch
from config.supervisor import Supervisor

LOOPBACK = ("localhost", "127.0.0.1")
# The next start makes another link if this one was not used.
LINK_DAYS = 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="make start", description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=launch.port, default=8000)
    port: int = parser.parse_args().port
    _settle_environment()
    environment.check_or_exit()
    return launch.run("make start", port, environment.data_dir(), lambda supervisor: _serve(supervisor, port))


def _settle_environment() -> None:
    """Set the defaults, for this process and those that it starts."""
    with environment.settings_in_words():
        environment.load()
    environment.data_dir().mkdir(mode=0o700, parents=True, exist_ok=True)
    environment.keep_secrets()
    os.environ.setdefault("HTTPS", "false")
    hosts = [name for name in os.environ.get("ALLOWED_HOSTS", "").split(",") if name]
    os.environ["ALLOWED_HOSTS"] = ",".join(dict.fromkeys([*hosts, *LOOPBACK]))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ["PYTHONUNBUFFERED"] = "1"


def _serve(supervisor: Supervisor, port: int) -> int:
    folder = environment.data_dir()
    launch.prepare_database()
    from generation import example_sets

    example_sets.load_all()
    address = launch.start_product(supervisor, port)
    if address is None:
        return launch.fail(f"the product did not start; see the .log files in {folder}")
    _announce(address, _first_admins_link(address))
    return launch.wait(supervisor, folder)


def _first_admins_link(address: str) -> str:
    """The address where the first admin makes their account; empty once an admin exists."""
    from django.urls import reverse

    from annotation.people import invitations, members
    from annotation.roles import Role

    if members.active_admins().exists():
        return ""
    (token,) = invitations.issue(role=Role.ADMIN, by=None, days=LINK_DAYS)
    return address.rstrip("/") + reverse("invitation", args=[token])


def _announce(address: str, link: str) -> None:
    print(f"\n  Stephanie is at {address}")
    if link:
        print(f"\n  Make the first admin's account; the link works once, today:\n    {link}")
    print(f"\n  Data, logs and secrets: {environment.data_dir()}\n  Ctrl-C stops everything.", flush=True)


if __name__ == "__main__":
    sys.exit(main())
