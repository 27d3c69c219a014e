"""A server that answers what it is told to: for answers that no healthy server gives."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from twinlens.client.connection import Connection


@dataclass
class Stub:
    """Gives its answers in order, and keeps what it was asked: method, path, headers, body."""

    url: str = ""
    answers: list[tuple[int, dict[str, str], Any]] = field(default_factory=list)
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)

    def answer(self, code: int = 200, body: Any = None, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.append((code, named, body))

    @property
    def commands(self) -> list[str]:
        return [headers.get("x-goog-upload-command", "") for _, _, headers, _ in self.asked]


@pytest.fixture
def stub() -> Iterator[Stub]:
    """Run a server that answers as the test says."""
    told = Stub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def reply(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            told.asked.append((self.command, self.path, headers, body))
            code, said, answer = told.answers.pop(0)
            content = answer if isinstance(answer, bytes) else json.dumps(answer or {}).encode()
            self.send_response(code)
            for name, value in (said | {"content-length": str(len(content))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_DELETE = reply  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        told.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield told
        server.shutdown()
        thread.join()


@pytest.fixture
def connection(stub: Stub) -> Iterator[Connection]:
    """Connect to that server with the key `k`."""
    with Connection(stub.url, "k") as connection:
        yield connection
