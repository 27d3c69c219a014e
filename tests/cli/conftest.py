"""The command as a real process, a real server that can be killed, and a wire that can be cut."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

COMMAND = (sys.executable, "-m", "twinlens")
MIB = 1024 * 1024


class Server:
    """A server process on one port and one data folder; it can be killed and started again."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self._folder = folder
        self._arguments = arguments
        self.port = 0
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def workers(self) -> list[int]:
        """The numbers of its decoding processes."""
        threads = Path(f"/proc/{self._process.pid}/task").iterdir()
        return [int(pid) for thread in threads for pid in (thread / "children").read_text().split()]

    def start(self) -> None:
        own = ["--port", str(self.port), "--data-dir", str(self._folder / "data"), "--decode-workers", "1"]
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*COMMAND, "serve", "--engine", "script", *own, *self._arguments],
                stdout=subprocess.PIPE,
                stderr=log,
                env=clean_environment(),
                text=True,
            )
        assert self._process.stdout is not None
        head = self._process.stdout.readline()
        assert " listens on " in head, (self._folder / "server.log").read_text()
        self.port = int(head.rpartition(":")[2])

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()

    def stop(self) -> None:
        self._process.terminate()
        self._process.communicate(timeout=300)
        assert "Traceback" not in (self._folder / "server.log").read_text()


class Wire:
    """A TCP proxy that counts what goes up, and can hold it back, cut it, or lose an answer."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open = threading.Event()
        self._open.set()
        self._lock = threading.Lock()
        self._sockets: set[socket.socket] = set()
        self.sent = 0
        self.hold_at: int | None = None
        self.lose: bytes | None = None
        self.held = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def hold(self, after: int) -> None:
        """Let so many bytes go up, and not one more, until `release`."""
        self.sent, self.hold_at = 0, after
        self._open.clear()
        self.held.clear()

    def release(self) -> None:
        """Cut all connections that there are; new ones are carried again, and counted anew."""
        self.hold_at, self.sent = None, 0
        self._cut()
        self._open.set()

    def close(self) -> None:
        # Closing alone would not wake the thread that waits for connections.
        _shut(self._listener)
        self._listener.close()
        self.release()

    def _cut(self) -> None:
        with self._lock:
            for each in self._sockets:
                _shut(each)
            self._sockets.clear()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                client.close()
                continue
            with self._lock:
                self._sockets |= {client, server}
            for carry in (self._up, self._down):
                threading.Thread(target=carry, args=(client, server), daemon=True).start()

    def _up(self, client: socket.socket, server: socket.socket) -> None:
        with client, server:
            while data := _received(client):
                if self.hold_at is not None and self.sent + len(data) > self.hold_at:
                    data = data[: self.hold_at - self.sent]
                    if not _carried(server, data):
                        break
                    self.sent += len(data)
                    self.held.set()
                    self._open.wait(300)
                    break
                if not _carried(server, data):
                    break
                self.sent += len(data)
            _shut(server)
            _shut(client)

    def _down(self, client: socket.socket, server: socket.socket) -> None:
        while data := _received(server):
            if self.lose is not None and self.lose in data.lower():
                self.lose = None
                break
            if not _carried(client, data):
                break
        _shut(client)
        _shut(server)


def _received(end: socket.socket) -> bytes:
    try:
        return end.recv(64 * 1024)
    except OSError:
        return b""


def _carried(end: socket.socket, data: bytes) -> bool:
    try:
        end.sendall(data)
    except OSError:
        return False
    return True


def _shut(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)


def clean_environment() -> dict[str, str]:
    """Give the environment without what the command would read of it."""
    ours = ("TWINLENS_", "GEMINI_", "GOOGLE_", "XDG_STATE_", "HTTP_", "HTTPS_", "ALL_", "NO_PROXY")
    return {name: value for name, value in os.environ.items() if not name.upper().startswith(ours)}


@pytest.fixture
def strange() -> Iterator[Callable[[int, bytes], str]]:
    """Give a starter of servers that give everybody the same answer; it gives their addresses."""
    servers: list[tuple[ThreadingHTTPServer, threading.Thread]] = []

    def start(code: int, body: bytes) -> str:
        class Handler(BaseHTTPRequestHandler):
            def reply(self) -> None:
                self.rfile.read(int(self.headers.get("content-length", 0)))
                self.send_response(code)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_DELETE = reply  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


Run = Callable[..., "subprocess.CompletedProcess[str]"]
Begin = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run a server that takes any key."""
    server = Server(tmp_path_factory.mktemp("server"))
    yield server
    server.stop()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Give a starter of servers that no other test sees."""
    servers: list[Server] = []

    def start(*arguments: str) -> Server:
        folder = tmp_path / f"server{len(servers)}"
        folder.mkdir()
        servers.append(Server(folder, *arguments))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def wire() -> Iterator[Callable[[Server], Wire]]:
    """Give a maker of wires to servers."""
    wires: list[Wire] = []

    def lay(server: Server) -> Wire:
        wires.append(Wire(server.port))
        return wires[-1]

    yield lay
    for each in wires:
        each.close()


_RUN = """
import runpy, signal
# A shell has what runs in its background ignore Ctrl-C; here it must arrive.
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_module("twinlens", run_name="__main__", alter_sys=True)
"""


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    """Give a starter of `twinlens files` in a folder and with a state of its own."""
    begun: list[subprocess.Popen[str]] = []

    def start(
        *arguments: str,
        stdout: int = subprocess.PIPE,
        stderr: int = subprocess.PIPE,
        **environment: str,
    ) -> subprocess.Popen[str]:
        state = {"XDG_STATE_HOME": str(tmp_path / "state"), "COLUMNS": "100"}
        process = subprocess.Popen(
            [sys.executable, "-c", _RUN, "files", *arguments],
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            text=True,
            env=clean_environment() | state | environment,
        )
        begun.append(process)
        return process

    yield start
    for process in begun:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def files(begin: Begin) -> Run:
    """Give a runner of `twinlens files`; no run may show a traceback."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        process = begin(*arguments, **environment)
        out, errors = process.communicate(timeout=600)
        assert "Traceback" not in errors, errors
        return subprocess.CompletedProcess(arguments, process.returncode, out, errors)

    return run
