"""What a connection may cost before a request has come, and what becomes of requests that never end."""

from __future__ import annotations

import ast
import asyncio
import http.client
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from twinlens.cli import protocol
from twinlens.cli.protocol import LEANT_ON, MAX_HEAD_BYTES, MAX_PIPELINED

UPLOAD = (
    "POST /upload/v1beta/files HTTP/1.1\r\nHost: localhost\r\nx-goog-api-key: secret-key\r\n"
    "X-Goog-Upload-Protocol: raw\r\nX-Goog-Upload-Header-Content-Type: image/png\r\n"
    "Content-Length: 1000000\r\n\r\n"
)
CONVERSATION = (
    "POST /v1beta/interactions?key=secret-key HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"
)


class Server:
    """A server process that gives a request a second to come, and itself a second to end."""

    def __init__(self, folder: Path, *own: str, receive_timeout_s: float = 1) -> None:
        self._log = folder / "server.log"
        command = [sys.executable, "-m", "twinlens", "serve", "--engine", "script", "--port", "0"]
        options = ["--receive-timeout-s", str(receive_timeout_s), "--shutdown-timeout-s", "1", "--access-log"]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, *options, *own, "--data-dir", str(folder / "data"), "--decode-workers", "1"],
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

    def connections(self) -> int:
        """Count the connections that the server has, as the system sees it."""
        lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
        ours, established = f"0100007F:{self.port:04X}", "01"
        return [line.split()[1:4:2] for line in lines].count([ours, established])

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


@pytest.mark.parametrize("begun", [b"", b"GET /heal", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: "])
def test_a_connection_on_which_no_request_comes_is_closed(server: Server, begun: bytes) -> None:
    with server.connection() as connection:
        connection.sendall(begun)

        assert everything(connection) == b""


def test_headers_without_end_are_refused(server: Server) -> None:
    with server.connection() as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: ")
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
            other.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
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
            other.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
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
        connection.sendall(b"GET /v1beta/files?key=secret-key HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200")

    log = server.stop()

    assert '"GET /v1beta/files HTTP/1.1" 200' in log
    assert "secret-key" not in log


@pytest.mark.parametrize(
    ("target", "hosts", "status"),
    [
        ("/v1beta/files?key=x", "Host: localhost\r\n", 200),
        ("/v1beta/files?key=x", "", 403),
        ("/v1beta/files?key=x", "Host:\r\n", 403),
        ("/v1beta/files?key=x", "Host: localhost\r\nHost: localhost\r\n", 403),
        ("/v1beta/files?key=x", "Host: rebind.example\r\nHost: localhost\r\n", 403),
        ("http://localhost:1/v1beta/files?key=x", "Host: rebind.example\r\n", 200),
        ("http://rebind.example/v1beta/files?key=x", "Host: localhost\r\n", 403),
        ("HTTP://REBIND.EXAMPLE/v1beta/files?key=x", "Host: localhost\r\n", 403),
        ("http://localhost@rebind.example/v1beta/files?key=x", "Host: localhost\r\n", 403),
        ("http:///v1beta/files?key=x", "Host: localhost\r\n", 400),
        ("http://rebind.example", "Host: localhost\r\n", 400),
        ("//rebind.example/v1beta/files", "Host: localhost\r\n", 404),
    ],
)
def test_a_target_that_names_a_host_counts_as_one(
    server: Server, target: str, hosts: str, status: int
) -> None:
    with server.connection() as connection:
        connection.sendall(f"GET {target} HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n".encode())
        answer = everything(connection)

    assert int(answer.split()[1]) == status


LONG = "x" * 10_000


@contextmanager
def patient(folder: Path, *own: str, pieces: int = 300) -> Iterator[Server]:
    """Run a server that works on one request at a time, gives each much time, and says much when asked to."""
    script = folder / "answers.json"
    at_length = {"match": {"text": "at length"}, "answer": {"chunks": [LONG] * pieces}}
    in_one_piece = {"match": {"text": "in one piece"}, "answer": {"text": LONG * pieces}}
    script.write_text(json.dumps({"rules": [at_length, in_one_piece], "default": {"text": "Hi."}}))
    server = Server(folder, "--script", str(script), "--max-running", "1", *own, receive_timeout_s=60)
    try:
        yield server
    finally:
        server.process.kill()
        server.process.communicate()


def request(text: str, method: str = "generateContent", **headers: str) -> bytes:
    body = json.dumps({"contents": [{"parts": [{"text": text}]}]}).encode()
    lines = [f"POST /v1beta/models/gemini-3-flash:{method} HTTP/1.1", "Host: localhost", "x-goog-api-key: k"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


@contextmanager
def small_window(server: Server) -> Iterator[socket.socket]:
    """Connect, with as little room for what comes as there is."""
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(30)
        connection.connect(("127.0.0.1", server.port))
        yield connection


@contextmanager
def unread(server: Server, asked: bytes) -> Iterator[socket.socket]:
    """Ask, and read nothing but the beginning of the answer, which comes into as small a room as there is."""
    with small_window(server) as connection:
        connection.sendall(asked)
        assert connection.recv(15) == b"HTTP/1.1 200 OK"
        yield connection


def is_answered(server: Server) -> bool:
    with server.connection() as connection:
        connection.sendall(request("Hello", connection="close"))
        return b'"text":"Hi."' in everything(connection)


STREAM = "streamGenerateContent?alt=sse"


def test_a_stream_that_nobody_reads_holds_up_nobody(tmp_path: Path) -> None:
    with patient(tmp_path) as server, ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(unread(server, request("at length", STREAM)))

        assert is_answered(server)


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param(request("at length", STREAM), id="stream"),
        pytest.param(request("at length", "streamGenerateContent"), id="array"),
        pytest.param(request("in one piece", connection="close"), id="plain"),
        pytest.param(request("in one piece"), id="plain, kept alive"),
    ],
)
def test_a_client_that_does_not_take_its_answer_is_cut_off(tmp_path: Path, asked: bytes) -> None:
    with patient(tmp_path, "--send-timeout-s", "1") as server, unread(server, asked):
        while server.connections() > 0:
            time.sleep(0.1)

        assert is_answered(server)
        assert "Traceback" not in (said := server.stop())
        assert "without completing" not in said


def test_a_client_that_takes_its_stream_too_slowly_is_cut_off_at_its_deadline(tmp_path: Path) -> None:
    asked = request("at length", STREAM, x_server_timeout="1")
    # More than the system takes off the server's hands: what it has taken counts as sent.
    with patient(tmp_path, "--send-timeout-s", "600", pieces=800) as server, unread(server, asked):
        while server.connections() > 0:
            time.sleep(0.1)

        assert "without completing" not in server.stop()


def test_a_client_that_reads_as_slowly_as_it_may_gets_all_of_it(tmp_path: Path) -> None:
    asked = request("at length", STREAM, connection="close")
    with patient(tmp_path, "--send-timeout-s", "2") as server, unread(server, asked) as connection:
        time.sleep(1)

        assert everything(connection).count(LONG.encode()) == 300


def memory_mib(server: Server) -> int:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) // 1024


def test_stored_interactions_that_nobody_reads_take_bounded_memory_and_hold_up_nobody(tmp_path: Path) -> None:
    keys = ("--api-key", "k", "--api-key", "other")
    with patient(tmp_path, *keys, "--max-request-bytes", "5MiB") as server, ExitStack() as stack:
        body = json.dumps({"model": "gemini-3-flash", "input": "q" * (4 * 1024 * 1024)}).encode()
        with server.connection() as connection:
            head = "POST /v1beta/interactions HTTP/1.1\r\nHost: localhost\r\nx-goog-api-key: other\r\n"
            connection.sendall(
                f"{head}Connection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
            )
            stored = json.loads(everything(connection).partition(b"\r\n\r\n")[2])["id"]
        before = memory_mib(server)
        asked = (
            f"GET /v1beta/interactions/{stored}?include_input=true HTTP/1.1\r\nHost: localhost\r\n"
            "x-goog-api-key: other\r\nConnection: close\r\n\r\n"
        ).encode()
        readers = [stack.enter_context(small_window(server)) for _ in range(16)]
        for reader in readers:
            reader.sendall(asked)
        assert readers[0].recv(15) == b"HTTP/1.1 200 OK"

        assert is_answered(server)
        assert memory_mib(server) < before + 60

        for reader in readers:
            assert len(everything(reader)) > len(body)


def test_bodies_that_come_slowly_hold_up_nobody(tmp_path: Path) -> None:
    with patient(tmp_path, "--max-waiting", "0") as server, ExitStack() as stack:
        for path in (
            "models/gemini-3-flash:generateContent",
            "models/gemini-3-flash:countTokens",
            "interactions",
        ):
            for _ in range(4):
                connection = stack.enter_context(server.connection())
                head = f"POST /v1beta/{path} HTTP/1.1\r\nHost: localhost\r\nx-goog-api-key: k\r\n"
                connection.sendall(f"{head}Content-Length: 1000000\r\n\r\n{{".encode())

        assert is_answered(server)


def test_a_body_that_only_trickles_is_refused(server: Server) -> None:
    with server.connection() as connection:
        connection.sendall(CONVERSATION.encode())
        refused = b""
        while not refused:
            connection.sendall(b" ")
            connection.settimeout(0.2)
            with suppress(TimeoutError):
                refused = connection.recv(65_536)
        connection.settimeout(30)
        refused += everything(connection)

    assert b"504 Gateway" in refused
    assert b"Less than 16384 bytes of the request came in 1 s." in refused


HELLO = json.dumps({"contents": [{"parts": [{"text": "Hello"}]}]}).encode()
CHUNKED = b"%x\r\n%s\r\n0\r\n" % (len(HELLO), HELLO)
GENERATE = "POST /v1beta/models/gemini-3-flash:generateContent HTTP/1.1\r\nHost: localhost\r\n"


def head(*headers: str, first: str = GENERATE) -> bytes:
    return (first + "".join(f"{header}\r\n" for header in headers) + "\r\n").encode()


def flood(connection: socket.socket, piece: bytes) -> None:
    """Send 64 MB of a piece; fail where the server takes that."""
    try:
        for _ in range(1000):
            connection.sendall(piece * (65_536 // len(piece)))
    except OSError:
        return
    pytest.fail("the server took 64 MB")


@pytest.mark.parametrize("begun", [b"", b"X-A: "], ids=["of many lines", "of one line"])
@pytest.mark.parametrize("piece", [b"X-A: a\r\n", b"a"])
@pytest.mark.parametrize("path", ["models/gemini-3-flash:generateContent", "nothing"])
def test_trailers_without_end_are_refused(server: Server, path: str, piece: bytes, begun: bytes) -> None:
    with server.connection() as connection:
        first = f"POST /v1beta/{path} HTTP/1.1\r\nHost: localhost\r\n"
        connection.sendall(head("Transfer-Encoding: chunked", first=first) + CHUNKED + begun)
        flood(connection, piece)


def test_a_chunk_size_without_end_is_refused(server: Server) -> None:
    with server.connection() as connection:
        connection.sendall(head("x-goog-api-key: k", "Transfer-Encoding: chunked") + b"2;a=")
        flood(connection, b"a")


def test_too_long_trailers_are_refused_in_a_sentence(tmp_path: Path) -> None:
    with patient(tmp_path) as server, server.connection() as connection:
        connection.sendall(head("x-goog-api-key: k", "Transfer-Encoding: chunked") + CHUNKED + b"X-A: ")
        refused = b""
        while not refused:
            connection.sendall(b"a" * 8192)
            connection.settimeout(0.2)
            with suppress(TimeoutError):
                refused = connection.recv(65_536)
        connection.settimeout(30)

        code, error = refusal(refused + everything(connection))

    assert (code, error["message"]) == (400, "The headers or trailers are longer than 65536 bytes.")


def test_trailers_are_read_over(server: Server) -> None:
    with server.connection() as connection:
        headers = ["x-goog-api-key: k", "Transfer-Encoding: chunked", "Connection: close"]
        connection.sendall(head(*headers) + CHUNKED + b"X-Checksum: 1\r\n\r\n")

        assert everything(connection).startswith(b"HTTP/1.1 200")


def test_a_key_in_a_trailer_is_none(tmp_path: Path) -> None:
    with patient(tmp_path, "--api-key", "k") as server, server.connection() as connection:
        headers = ["Transfer-Encoding: chunked", "Connection: close"]
        connection.sendall(head(*headers) + CHUNKED + b"x-goog-api-key: k\r\n\r\n")

        code, error = refusal(everything(connection))

    assert (code, error["status"]) == (403, "PERMISSION_DENIED")


def test_a_host_in_a_trailer_is_none(server: Server) -> None:
    upload = "POST /upload/v1beta/files HTTP/1.1\r\nHost: localhost\r\n"
    headers = ["x-goog-api-key: k", "X-Goog-Upload-Protocol: resumable", "X-Goog-Upload-Command: start"]
    with server.connection() as connection:
        begun = head(*headers, "Transfer-Encoding: chunked", "Connection: close", first=upload)
        connection.sendall(begun + b"2\r\n{}\r\n0\r\nx-forwarded-host: rebind.example\r\n\r\n")
        answer = everything(connection)

    assert b"upload-url: http://localhost" in answer.lower()
    assert b"rebind.example" not in answer


def test_a_long_body_before_the_next_head_is_not_counted_with_it(server: Server) -> None:
    missing = "POST /nothing HTTP/1.1\r\nHost: localhost\r\n"
    closing = head("Connection: close", first="GET /healthz HTTP/1.1\r\nHost: localhost\r\n")
    with server.connection() as connection:
        connection.sendall(head("Content-Length: 300000", first=missing) + bytes(300_000) + closing)

        assert everything(connection).endswith(b"ok\n")


def test_what_is_no_request_does_not_fill_the_log(server: Server) -> None:
    for _ in range(5):
        with server.connection() as connection:
            connection.sendall(b"Hello?\r\n\r\n")
            everything(connection)

    assert "Invalid HTTP request" not in server.stop()


HEALTH = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n"


def test_requests_may_come_before_the_answer_to_the_first(server: Server) -> None:
    with server.connection() as connection:
        connection.sendall(head(first=HEALTH) * MAX_PIPELINED + head("Connection: close", first=HEALTH))

        assert everything(connection).count(b"HTTP/1.1 200") == MAX_PIPELINED + 1


def test_too_many_requests_before_the_answer_to_the_first_close_the_connection(server: Server) -> None:
    with server.connection() as connection:
        answers = b""
        with suppress(ConnectionError):
            connection.sendall(head(first=HEALTH) * 10_000 + head("Connection: close", first=HEALTH))
        with suppress(ConnectionError):
            while piece := connection.recv(65_536):
                answers += piece

    assert answers.count(b"HTTP/1.1") < 10_000
    assert "Traceback" not in server.stop()


JAVA = [
    "Connection: Upgrade, HTTP2-Settings",
    "Upgrade: h2c",
    "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA",
]
FRAMED = {"of a length": f"Content-Length: {len(HELLO)}", "in chunks": "Transfer-Encoding: chunked"}


@pytest.mark.parametrize("framing", FRAMED)
@pytest.mark.parametrize("pieces", [1, 7])
def test_a_request_for_another_protocol_is_answered_in_this_one(
    tmp_path: Path, framing: str, pieces: int
) -> None:
    body = HELLO if framing == "of a length" else CHUNKED + b"\r\n"
    asked = head("x-goog-api-key: k", *JAVA, FRAMED[framing]) + body
    closing = head("Connection: close", first=HEALTH)
    size = -(-len(asked) // pieces)
    with patient(tmp_path) as server, server.connection() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(asked), size):
            connection.sendall(asked[start : start + size])
            time.sleep(0.01)
        connection.sendall(asked + head(*JAVA, first=HEALTH) + closing)
        answers = everything(connection)

    assert answers.count(b"HTTP/1.1 200") == 4
    assert answers.count(b'"text":"Hi."') == 2
    assert answers.count(b"ok\n") == 2


def test_a_body_behind_an_upgrade_is_no_request(tmp_path: Path) -> None:
    body = head(first=HEALTH)
    with patient(tmp_path) as server, server.connection() as connection:
        asked = head("x-goog-api-key: k", *JAVA, f"Content-Length: {len(body)}")
        connection.sendall(asked)
        time.sleep(0.2)
        connection.sendall(body + head("Connection: close", first=HEALTH))
        answers = everything(connection)

        assert "Unsupported upgrade" not in server.stop()

    assert answers.startswith(b"HTTP/1.1 400")
    assert answers.count(b"ok\n") == 1


@pytest.mark.parametrize(("target", "status"), [("localhost:80", 400), ("/healthz", 501)])
def test_a_tunnel_is_refused(server: Server, target: str, status: int) -> None:
    with server.connection() as connection:
        connection.sendall(head(first=f"CONNECT {target} HTTP/1.1\r\nHost: localhost\r\n"))

        assert refusal(everything(connection))[0] == status


@pytest.mark.parametrize(
    "codings",
    [
        ["Transfer-Encoding: gzip, chunked"],
        ["Transfer-Encoding: gzip", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: chunked", "Content-Encoding: identity", "Content-Encoding: gzip"],
    ],
)
def test_an_encoded_body_is_refused(server: Server, codings: list[str]) -> None:
    with server.connection() as connection:
        connection.sendall(head("x-goog-api-key: k", "Connection: close", *codings) + CHUNKED + b"\r\n")

        code, error = refusal(everything(connection))

    assert (code, error["status"]) == (400, "INVALID_ARGUMENT")
    assert error["message"].startswith("Send the request body without ")


async def test_what_is_leant_on_of_uvicorn_is_there() -> None:
    found = await insides()

    missing = [f"{where}: {name}" for where, names in LEANT_ON.items() for name in names - found[where]]

    assert not missing, (
        f"uvicorn {uvicorn.__version__} lacks what cli/protocol.py leans on ({', '.join(missing)}): "
        "change the protocol, or lower the bound of uvicorn in pyproject.toml"
    )


async def test_nothing_else_of_uvicorns_protocol_is_leant_on() -> None:
    found = await insides()

    inherited = names_of_its_own() & (found["methods"] | found["attributes"])

    assert inherited == LEANT_ON["methods"] | LEANT_ON["attributes"]


def names_of_its_own() -> set[str]:
    """List what the class that is built on uvicorn's defines, and what it uses of itself."""
    tree = ast.parse(Path(protocol.__file__).read_text())
    bounded = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "_Bounded")
    uses = [node for node in ast.walk(bounded) if isinstance(node, ast.Attribute) and _is_self(node.value)]
    made = [node.name for node in bounded.body if isinstance(node, ast.FunctionDef)]
    return {*made, *(node.attr for node in uses)}


async def insides() -> dict[str, set[str]]:
    """List what uvicorn's protocol has: its class, a connection amid a request, and the request's cycle."""

    async def app(scope: object, receive: object, send: object) -> None: ...

    connection = HttpToolsProtocol(uvicorn.Config(app, ws="none"), ServerState(), {})
    connection.connection_made(_Transport())
    connection.data_received(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    for task in connection.tasks:
        task.cancel()
    await asyncio.gather(*connection.tasks, return_exceptions=True)
    methods = {name for name in dir(HttpToolsProtocol) if not name.startswith("__")}
    return {"methods": methods, "attributes": {*vars(connection)}, "cycle": {*vars(connection.cycle)}}


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


class _Transport(asyncio.Transport):
    """A connection that goes nowhere."""

    def write(self, data: object) -> None: ...

    def close(self) -> None: ...

    def is_closing(self) -> bool:
        return False
