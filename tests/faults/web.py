"""The product as it is served, in a group of processes that may be killed and started again at the same address."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx2

from config import processes
from tests.demo_process import free_port
from tests.faults.processes import Group, python
from tests.faults.site import Site
from tests.waiting import until

PATIENCE = 120


class Web:
    def __init__(self, site: Site) -> None:
        done = python(site, "manage.py", "collectstatic", "--noinput", "-v0", DEBUG="0")
        assert done.returncode == 0, done.stderr
        self._site, self._port = site, free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self.start()

    def start(self) -> None:
        self.group = Group(self._site, processes.web("127.0.0.1", self._port), DEBUG="0")
        until(self._is_up, "the web server comes up", PATIENCE)

    def _is_up(self) -> bool:
        try:
            return httpx2.get(f"{self.url}/healthz").status_code == 200
        except httpx2.TransportError:
            return False


@contextmanager
def running_web(site: Site) -> Iterator[Web]:
    web = Web(site)
    try:
        yield web
    finally:
        web.group.kill()
