"""A hub of data sets on this machine: what `huggingface_hub` asks for to make a data set and upload files."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass
class Hub:
    """What it was sent. `public` names data sets that are there already, for everybody to see."""

    address: str = ""
    token: str = "hf_right"
    public: set[str] = field(default_factory=set)
    private: set[str] = field(default_factory=set)
    files: dict[str, bytes] = field(default_factory=dict)


class _Server(ThreadingHTTPServer):
    hub: Hub


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        name = self.path.removeprefix("/api/datasets/").split("?")[0]
        if name not in self.server.hub.public | self.server.hub.private:
            self._answer(404, {"error": "Repository not found"})
            return
        self._answer(
            200, {"id": name, "private": name in self.server.hub.private, "sha": "1" * 40, "tags": [], "siblings": []}
        )

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        if self.headers["Authorization"] != f"Bearer {self.server.hub.token}":
            self._answer(401, {"error": "Invalid credentials in Authorization header"})
        elif self.path == "/api/repos/create":
            self._create(json.loads(body))
        elif self.path == "/api/validate-yaml":
            self._answer(200, {"errors": [], "warnings": []})
        elif "/preupload/" in self.path:
            files = [
                {"path": one["path"], "uploadMode": "regular", "shouldIgnore": False, "oid": None}
                for one in json.loads(body)["files"]
            ]
            self._answer(200, {"files": files})
        elif "/commit/" in self.path:
            self._commit(body)
        else:
            self._answer(404, {"error": "no such address"})

    def _create(self, asked: dict[str, Any]) -> None:
        name = f"{asked['organization']}/{asked['name']}" if asked.get("organization") else asked["name"]
        if name in self.server.hub.public | self.server.hub.private:
            self._answer(
                409, {"error": "You already created this dataset repo", "url": f"{self.server.hub.address}/{name}"}
            )
            return
        (self.server.hub.private if asked.get("visibility") == "private" else self.server.hub.public).add(name)
        self._answer(200, {"url": f"{self.server.hub.address}/datasets/{name}", "name": name})

    def _commit(self, body: bytes) -> None:
        for line in body.decode().splitlines():
            one = json.loads(line)
            if one["key"] == "file":
                self.server.hub.files[one["value"]["path"]] = base64.b64decode(one["value"]["content"])
        where = f"{self.server.hub.address}/datasets/x/y/commit/{'2' * 40}"
        self._answer(200, {"success": True, "commitOid": "2" * 40, "commitUrl": where})

    def _answer(self, status: int, value: dict[str, Any]) -> None:
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *words: object) -> None:
        pass


@contextmanager
def stand_in_hub() -> Iterator[Hub]:
    server = _Server(("127.0.0.1", 0), _Handler)
    server.hub = Hub(f"http://127.0.0.1:{server.server_address[1]}")
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
