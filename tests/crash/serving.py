"""Real server processes that tests may kill, and the requests that outlive them."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

PIECE_BYTES = 16 * 1024
PATIENCE_S = 180.0
"""A busy machine takes ten times as long as a quiet one for everything."""

LOST = (OSError, http.client.HTTPException)
"""What a request ends with when the server dies under it."""


class Server:
    """One `twinlens serve` on a data folder, and its log. It ends with its block at the latest."""

    def __init__(
        self,
        data: Path,
        folder: Path,
        *flags: str,
        within: Sequence[str] = (),
        script: str | None = None,
    ) -> None:
        """Start the process in `folder`, which marks it; `within` is a command that runs commands.

        `script` is a file beside this one that stands for the command line.
        """
        self.log = folder / "server.log"
        self.folder = folder
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command(data, *flags, within=within, script=script),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment(folder),
                text=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def address(self) -> str:
        """Wait until it listens; give its host and port."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            _, found, url = line.partition(" listens on ")
            if found:
                return urlsplit(url.strip()).netloc
        raise AssertionError(f"the server did not start: {self.log.read_text()}")

    def kill(self) -> None:
        """End it as `kill -9` does. Killing it again changes nothing."""
        self.process.kill()
        self._wait()

    def stop(self) -> None:
        """End it in order."""
        self.process.terminate()
        assert self._wait() == 0, self.log.read_text()

    def _wait(self) -> int:
        code = self.process.wait(PATIENCE_S)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code


def command(data: Path, *flags: str, within: Sequence[str] = (), script: str | None = None) -> list[str]:
    """Write the command line of a server on a free port."""
    own = ("--engine", "script", "--port", "0", "--decode-workers", "1", "--data-dir", str(data))
    program = ("-m", "twinlens") if script is None else (str(Path(__file__).with_name(script)),)
    return [*within, sys.executable, *program, "serve", *own, *flags]


def environment(folder: Path) -> dict[str, str]:
    """Give a server's environment: no settings, and a TMPDIR that its processes are known by."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TWINLENS_")}
    return kept | {"TMPDIR": str(folder)}


def processes_of(folder: Path) -> set[int]:
    """Find the processes that servers started in this folder have left; none where there is no /proc."""
    mark = f"TMPDIR={folder}".encode()
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            # What has ended but was not reaped yet has no environment any more.
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                found.add(int(entry.name))
        except OSError:
            continue
    return found - {os.getpid()}


def wait_until_gone(folder: Path) -> set[int]:
    """Wait for the last process of the servers started in this folder; give those that stay."""
    patience = time.monotonic() + PATIENCE_S
    while (left := processes_of(folder)) and time.monotonic() < patience:
        time.sleep(0.05)
    return left


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer."""

    status: int
    headers: Message
    body: bytes

    @property
    def received(self) -> int:
        """How many bytes of an upload the server says are safe."""
        return int(self.headers["X-Goog-Upload-Size-Received"])

    @property
    def state(self) -> str:
        """The upload's state."""
        return str(self.headers["X-Goog-Upload-Status"])


class Connection:
    """A way to one server. One of `LOST` comes out of it when the server is gone.

    Each request has a connection of its own: a server hangs up on one that is idle for a few seconds, which
    on a busy machine lie between any two requests, and this client cannot tell that from its end.
    """

    def __init__(self, address: str) -> None:
        self._http = http.client.HTTPConnection(address, timeout=PATIENCE_S)

    def close(self) -> None:
        self._http.close()

    def ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        sending: Callable[[int], None] = lambda _count: None,
    ) -> Answer:
        """Send a request and read the answer. `sending` hears the size of each piece of the body before
        it leaves, and 0 once everything has left."""
        self.close()
        self._http.putrequest(method, path)
        own = {"Content-Length": str(len(body)), "x-goog-api-key": "any"}
        for name, value in (own | dict(headers or {})).items():
            self._http.putheader(name, value)
        self._http.endheaders()
        for start in range(0, len(body), PIECE_BYTES):
            piece = body[start : start + PIECE_BYTES]
            sending(len(piece))
            self._http.send(piece)
        sending(0)
        with self._http.getresponse() as response:
            return Answer(response.status, response.headers, response.read())


def connected(address: str) -> closing[Connection]:
    """Open a connection for a block."""
    return closing(Connection(address))


def upload_headers(command: str, **more: object) -> dict[str, str]:
    """Write the headers of one step of an upload: `Offset=5` becomes `X-Goog-Upload-Offset: 5`."""
    said = {"Command": command, **{name.replace("_", "-"): str(value) for name, value in more.items()}}
    return {f"X-Goog-Upload-{name}": value for name, value in said.items()}


def path_and_query(url: str) -> str:
    """Drop the host of a session's URL: it was the host of a server that is no more."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def files_under(folder: Path) -> Iterator[Path]:
    """List the files of a folder, at any depth."""
    return (path for path in folder.rglob("*") if path.is_file())


class Trap:
    """Kills the server a little after a moment has come for the n-th time."""

    def __init__(self, server: Server, moment: str, count: int, delay_s: float) -> None:
        self._server = server
        self._moment = moment
        self._left = count
        self._delay_s = delay_s
        self._lock = threading.Lock()

    def reach(self, moment: str, count: int = 1) -> None:
        """Take note that the moment has come, for `count` bytes or once."""
        if moment != self._moment:
            return
        with self._lock:
            sprung = 0 < self._left <= count
            self._left -= count
        if sprung:
            time.sleep(self._delay_s)
            self._server.kill()
