"""What a connection may cost before a request has come, and what becomes of requests that never end."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from twinlens.cli.protocol import MAX_HEAD_BYTES

UPLOAD = (
    "POST /upload/v1beta/files HTTP/1.1\r\nHost: twin\r\nx-goog-api-key: secret-key\r\n"
    "X-Goog-Upload-Protocol: raw\r\nX-Goog-Upload-Header-Content-Type: image/png\r\n"
    "Content-Length: 1000000\r\n\r\n"
)
CONVERSATION = (
    "POST /v1beta/interactions?key=secret-key HTTP/1.1\r\nHost: twin\r\nContent-Length: 1000\r\n\r\n"
)


class Server:
    """A server process that gives a request a second to come, and itself a second to end."""

    def __init__(self, folder: Path, receive_timeout_s: float = 1) -> None:
        self._log = folder / "server.log"
        command = [sys.executable, "-m", "twinlens", "serve", "--engine", "script", "--port", "0"]
        options = ["--receive-timeout-s", str(receive_timeout_s), "--shutdown-timeout-s", "1", "--access-log"]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, *options, "--data-dir", str(folder / "data"), "--decode-workers", "1"],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self.process.stdout is not None
        first = next(line for line in self.process.stdout if "listens on" in line)
        self.port = int(first.rsplit(":", 1)[1])

    @contextmanager
    def connection(self) -> Iterator[socket.socket]:
        with socket.create_connection(("127.0.0.1", self.port), timeout=180) as found:
            yield found

    def stop(self) -> str:
        """End the server; give what it and its log said."""
        self.process.send_signal(signal.SIGTERM)
        said, _ = self.process.communicate(timeout=180)
        return said + self._log.read_text()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    yield server
    server.process.kill()
    server.process.communicate()


def everything(connection: socket.socket) -> bytes:
    """Read until the server closes the connection."""
    pieces = []
    while piece := connection.recv(65_536):
        pieces.append(piece)
    return b"".join(pieces)


def refusal(answer: bytes) -> tuple[int, dict[str, Any]]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/json" in head.lower()
    return int(head.split()[1]), json.loads(body)["error"]


@pytest.mark.parametrize("begun", [b"", b"GET /heal", b"GET /healthz HTTP/1.1\r\nHost: twin\r\nX-A: "])
def test_a_connection_on_which_no_request_comes_is_closed(server: Server, begun: bytes) -> None:
    with server.connection() as connection:
        connection.sendall(begun)

        assert everything(connection) == b""


def test_headers_without_end_are_refused(server: Server) -> None:
    with server.connection() as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: twin\r\nX-A: ")
        try:
            for _ in range(1000):
                connection.sendall(b"a" * 65_536)
        except OSError:
            return
    pytest.fail("the server took 64 MB of headers")


def test_what_is_no_request_is_refused_as_everything_else_is(server: Server) -> None:
    with server.connection() as connection:
        connection.sendall(b"Hello?\r\n\r\n")

        code, error = refusal(everything(connection))

    assert (code, error["code"], error["status"]) == (400, 400, "INVALID_ARGUMENT")


def test_a_connection_is_used_again_and_again(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=180)
    for _ in range(3):
        connection.request("GET", "/healthz")
        assert connection.getresponse().read() == b"ok\n"
        assert connection.sock is not None, "the server closed the connection"
    connection.close()


def test_a_body_that_stops_coming_is_refused_and_the_connection_closed(server: Server) -> None:
    with server.connection() as connection:
        connection.sendall(UPLOAD.encode() + bytes(5000))

        code, error = refusal(everything(connection))

    assert (code, error["status"]) == (504, "DEADLINE_EXCEEDED")
    assert error["message"] == "Nothing more of the request came for 1 s."


def test_a_request_that_the_servers_end_cuts_off_is_told_so(tmp_path: Path) -> None:
    server = Server(tmp_path, receive_timeout_s=60)
    with server.connection() as connection:
        connection.sendall(UPLOAD.encode() + bytes(5000))
        # Another request that is answered: the first one has been read by now.
        with server.connection() as other:
            other.sendall(b"GET /healthz HTTP/1.1\r\nHost: twin\r\nConnection: close\r\n\r\n")
            assert everything(other)

        log = server.stop()

        code, error = refusal(everything(connection))
    assert (code, error["status"]) == (503, "UNAVAILABLE")
    assert "Traceback" not in log


def test_an_interaction_that_the_servers_end_cuts_off_is_told_so_in_its_own_form(tmp_path: Path) -> None:
    server = Server(tmp_path, receive_timeout_s=60)
    with server.connection() as connection:
        connection.sendall(CONVERSATION.encode() + b"{")
        with server.connection() as other:
            other.sendall(b"GET /healthz HTTP/1.1\r\nHost: twin\r\nConnection: close\r\n\r\n")
            assert everything(other)

        server.stop()

        answer = everything(connection)
    assert b"\r\nretry-after: 1\r\n" in answer.lower()
    code, error = refusal(answer)
    assert (code, error) == (
        503,
        {"code": "overloaded", "message": "The server is stopping. Try again later."},
    )


def test_too_long_headers_of_an_interaction_are_refused_in_its_own_form(server: Server) -> None:
    with server.connection() as connection:
        head = CONVERSATION.encode().removesuffix(b"\r\n") + b"X-A: "
        # Exactly so many that nothing is left unread: the answer would be lost with the connection.
        connection.sendall(head + b"a" * (MAX_HEAD_BYTES + 1 - len(head)))

        code, error = refusal(everything(connection))

    assert (code, error["code"]) == (400, "invalid_request")


def test_the_log_of_requests_holds_no_keys_and_no_upload_ids(server: Server) -> None:
    with server.connection() as connection:
        connection.sendall(b"GET /v1beta/files?key=secret-key HTTP/1.1\r\nHost: twin\r\n\r\n")
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200")

    log = server.stop()

    assert '"GET /v1beta/files HTTP/1.1" 200' in log
    assert "secret-key" not in log
