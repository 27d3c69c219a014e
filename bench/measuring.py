"""One client and its clock: requests over a connection that stays open, and the CPU time of a server."""

from __future__ import annotations

import json
import socket
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import servers
from servers import TICKS, free_port

HEAD = "{} {} HTTP/1.1\r\nHost: localhost\r\nx-goog-api-key: k\r\n{}Content-Length: {}\r\n\r\n"

Json = dict[str, Any]
Step = Callable[[], object]


@dataclass(frozen=True)
class Result:
    """Some requests of one kind: the seconds that each took, and the CPU time of all together."""

    latencies_s: list[float]
    cpu_s: float

    def __add__(self, other: Result) -> Result:
        return Result(self.latencies_s + other.latencies_s, self.cpu_s + other.cpu_s)

    @property
    def cpu_ms(self) -> float:
        return self.cpu_s / len(self.latencies_s) * 1000

    def percentile(self, share: float) -> float:
        ordered = sorted(self.latencies_s)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)] * 1000

    def cells(self, baseline: Result) -> str:
        """Write the cells that every table ends in."""
        least_ms = 1000 / TICKS / len(baseline.latencies_s)
        return (
            f"{self.percentile(0.5):.2f} | {self.percentile(0.99):.2f} | {self.cpu_ms:.2f} "
            f"| {self.percentile(0.5) / baseline.percentile(0.5):.2f} "
            f"| {self.cpu_ms / max(baseline.cpu_ms, least_ms):.2f} |"
        )


NOTHING = Result([], 0)


class Client:
    """One connection that stays open, with next to nothing between the clock and the socket."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: bytes) -> bytes:
        """Send a request and give the body of its answer, a stream's with the marks of its chunks."""
        head, body = self.exchange(request)
        if b" 200 " not in head.split(b"\r\n")[0]:
            raise SystemExit(f"the server answered {head!r} {body[:2000]!r}")
        return body

    def exchange(self, request: bytes) -> tuple[bytes, bytes]:
        """Send a request and give the answer's head, in small letters, and its body."""
        self._socket.sendall(request)
        received = bytearray()
        while (end := received.find(b"\r\n\r\n") + 4) < 4:
            self._receive(received)
        head = bytes(received[:end]).lower()
        length = head.partition(b"content-length:")[2].split(b"\r\n")[0]
        while len(received) < end + int(length) if length else not received.endswith(b"\r\n0\r\n\r\n"):
            self._receive(received)
        return head, bytes(received[end:])

    def _receive(self, received: bytearray) -> None:
        more = self._socket.recv(1 << 20)
        if not more:
            raise SystemExit("the server hung up")
        received += more


@dataclass(frozen=True)
class Server:
    """A running server: its process, and a connection to it."""

    pid: int
    client: Client

    def post(self, path: str, body: Json | bytes, headers: str = "") -> Any:
        """Ask once, without measuring."""
        return json.loads(self.client.ask(posted(path, body, headers)))


@contextmanager
def twinlens(folder: Path, *options: str) -> Iterator[Server]:
    """Run a server on a data folder until the block ends; by itself the script engine answers "ok"."""
    port = free_port()
    command = [sys.executable, "-m", "twinlens", "serve", "--port", str(port), "--decode-workers", "1"]
    engine = options or ("--engine", "script")
    with servers.running([*command, "--data-dir", str(folder), *engine], port) as pid:
        server = Server(pid, Client(port))
        for _ in range(600):
            if server.client.exchange(got("/readyz"))[1] == b"ready\n":
                break
            time.sleep(0.05)
        yield server


def measured(cpu_s: Callable[[], float], steps: Iterable[Step]) -> Result:
    """Take the steps, one after the other."""
    latencies = []
    before = cpu_s()
    for step in steps:
        start = time.perf_counter()
        step()
        latencies.append(time.perf_counter() - start)
    return Result(latencies, cpu_s() - before)


def posted(path: str, body: Json | bytes, headers: str = "") -> bytes:
    """Write a POST; `headers` end in line breaks."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HEAD.format("POST", path, headers, len(data)).encode() + data


def got(path: str) -> bytes:
    """Write a GET."""
    return HEAD.format("GET", path, "", 0).encode()
