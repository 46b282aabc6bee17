"""A server that answers with the bodies it was given: each endpoint has a name in its path, and a list of answers.

It lists the models that it was given by name of the endpoint.
"""

import json
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Answer(NamedTuple):
    """A status and a body; text goes out as it is, anything else as JSON."""

    status: int
    body: Any
    content_type: str = "application/json"


class ScriptedModel:
    """`requests` counts by name. The last answer of a name is given again and again."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.answers: dict[str, Sequence[Answer]] = {}
        self.offers: dict[str, Any] = {}
        self.requests: Counter[str] = Counter()
        self._lock = threading.Lock()

    def base_url(self, name: str, *answers: Answer) -> str:
        self.answers[name] = answers
        return f"http://127.0.0.1:{self._port}/{name}/v1"

    def next(self, path: str) -> Answer:
        name, _, rest = path.strip("/").partition("/")
        if rest != "v1/chat/completions":
            return Answer(404, {"error": {"message": f"nothing at {path}"}})
        with self._lock:
            given = self.answers[name]
            place = min(self.requests[name], len(given) - 1)
            self.requests[name] += 1
        return given[place]

    def listed(self, path: str) -> Answer:
        name, _, rest = path.strip("/").partition("/")
        if rest != "v1/models" or name not in self.offers:
            return Answer(404, {"error": {"message": f"nothing at {path}"}})
        return Answer(200, self.offers[name])


@contextmanager
def scripted_model() -> Iterator[ScriptedModel]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self._send(model.next(self.path))

        def do_GET(self) -> None:
            self._send(model.listed(self.path))

        def _send(self, answer: Answer) -> None:
            raw = (answer.body if isinstance(answer.body, str) else json.dumps(answer.body)).encode()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    model = ScriptedModel(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield model
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def completion(content: Any, finish: str = "stop", **message: Any) -> dict[str, Any]:
    """A chat completion whose one choice says this."""
    return {
        "id": "c",
        "object": "chat.completion",
        "model": "scripted-1",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": content, **message}, "finish_reason": finish}
        ],
        "usage": {"prompt_tokens": 11, "completion_tokens": 7},
    }


def events(chunks: Sequence[Mapping[str, Any]], *, end: str = "\n\n") -> str:
    """These chunks as a stream of server-sent events."""
    return "".join(f"data: {json.dumps(chunk)}{end}" for chunk in chunks) + f"data: [DONE]{end}"
