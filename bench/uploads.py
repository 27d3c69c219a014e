"""What receiving files costs on top of a handler that streams the body to a file, and how much memory.

Run it alone: `python bench/uploads.py`. Every server is a real process of one worker on loopback, under
the same uvicorn settings, and all write to the same disk; the same client sends each of them the same
requests. The plain handlers write and forget. One of them syncs the file before it answers, as twinlens
does before it acknowledges anything: that one is the baseline. It keeps no records, hashes nothing and
checks no offset. CPU and memory are those of the server's own process, read from /proc, so it runs on
Linux only.
"""

from __future__ import annotations

import http.client
import io
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from PIL import Image

from servers import cpu_seconds, free_port, running

PLAIN = """
import itertools, os, sys, uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
port, folder, sync = int(sys.argv[1]), sys.argv[2], sys.argv[3] == "synced"
ids = map(str, itertools.count())
async def receive(request):
    name = request.query_params.get("upload_id") or next(ids)
    headers = {}
    if request.headers.get("x-goog-upload-command") == "start":
        headers["X-Goog-Upload-URL"] = f"http://{request.headers['host']}/upload?upload_id={name}"
    with open(os.path.join(folder, name), "ab") as file:
        async for piece in request.stream():
            file.write(piece)
        if sync and not headers:
            file.flush()
            os.fsync(file.fileno())
    return Response(headers=headers)
app = Starlette(routes=[Route("/{rest:path}", receive, methods=["POST"])])
uvicorn.run(app, port=port, log_level="warning", access_log=False, server_header=False, ws="none")
"""
MIB = 1024 * 1024
CHUNK_BYTES = 8 * MIB
"""What the Python client sends at a time."""
ROUNDS = 3
NOISE = memoryview(random.Random(0).randbytes(CHUNK_BYTES))


@dataclass(frozen=True)
class Server:
    """A running server: where it listens, its process, and the folder it writes to."""

    port: int
    pid: int
    folder: Path
    clear: Callable[[Server], None]

    @property
    def cpu_s(self) -> float:
        """The CPU time it has used."""
        return cpu_seconds(self.pid)

    @property
    def peak_mib(self) -> float:
        """The most memory it has held."""
        status = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return int(next(line for line in status if line.startswith("VmHWM:")).split()[1]) / 1024


class Sender:
    """A client with one connection. No two files that it sends are the same.

    They are of noise, unless `image` is a JPEG, which they are then, each with a mark of its own in it.
    """

    def __init__(self, server: Server, image: bytes = b"") -> None:
        self._image = image
        self._http = http.client.HTTPConnection("127.0.0.1", server.port)
        self._counter = server.pid << 32

    def close(self) -> None:
        self._http.close()

    def resumable(self, size: int) -> None:
        """Send a file in chunks of 8 MiB, each a request of its own, as the Python client does."""
        started = self._post("/upload/v1beta/files", 0, self._start(size))
        parts = urlsplit(started["x-goog-upload-url"])
        for offset in range(0, size, CHUNK_BYTES):
            left = size - offset
            command = "upload, finalize" if left <= CHUNK_BYTES else "upload"
            headers = {"X-Goog-Upload-Command": command, "X-Goog-Upload-Offset": str(offset)}
            self._post(f"{parts.path}?{parts.query}", min(left, CHUNK_BYTES), headers)

    def at_once(self, size: int) -> None:
        """Send a file in one request."""
        headers = {"X-Goog-Upload-Protocol": "raw", "X-Goog-Upload-Header-Content-Type": self._mime_type}
        self._post("/upload/v1beta/files", size, headers)

    def small(self, size: int) -> None:
        """Send a fifth of a thousand files, two requests each."""
        for _ in range(200):
            self.resumable(size)

    def _start(self, size: int) -> dict[str, str]:
        return {
            "X-Goog-Upload-Protocol": "resumable",
            "X-Goog-Upload-Command": "start",
            "X-Goog-Upload-Header-Content-Length": str(size),
            "X-Goog-Upload-Header-Content-Type": self._mime_type,
        }

    @property
    def _mime_type(self) -> str:
        return "image/jpeg" if self._image else "text/plain"

    def _post(self, path: str, size: int, headers: Mapping[str, str]) -> Mapping[str, str]:
        self._http.putrequest("POST", path)
        own = {"x-goog-api-key": "k", "Content-Length": str(size)}
        for name, value in {**own, **headers}.items():
            self._http.putheader(name, value)
        self._http.endheaders()
        self._counter += 1
        mark = self._counter.to_bytes(8)
        if self._image and size:
            # A comment behind the first marker.
            self._http.send(self._image[:2] + b"\xff\xfe\0\x0a" + mark + self._image[2:])
        else:
            self._http.send(mark[:size])
            for start in range(len(mark), size, CHUNK_BYTES):
                self._http.send(NOISE[: min(size - start, CHUNK_BYTES)])
        with self._http.getresponse() as response:
            body = response.read()
            if response.status != 200:
                raise SystemExit(f"the server answered {response.status} {body!r}")
            return dict(response.headers)


@dataclass(frozen=True)
class Case:
    """A load: how it is sent, and how many bytes arrive."""

    name: str
    send: Callable[[Sender, int], None]
    size: int
    files: int = 1
    image: bytes = b""


def jpeg(width: int, height: int) -> bytes:
    """Make a photo of some kind."""
    y, x = np.mgrid[:height, :width]
    grain = np.random.default_rng(1).normal(0, 12, (height, width))
    grey = np.clip(128 + 60 * np.sin(x / 40) + 40 * np.cos(y / 25) + grain, 0, 255)
    body = io.BytesIO()
    Image.fromarray(grey.astype(np.uint8)).convert("RGB").save(body, "JPEG", quality=85)
    return body.getvalue()


PHOTO = jpeg(640, 480)
CASES = (
    Case("512 MiB, chunks of 8 MiB", Sender.resumable, 512 * MIB),
    Case("512 MiB, one request", Sender.at_once, 512 * MIB),
    Case("200 files of 100 kB", Sender.small, 100_000, 200),
    Case(f"200 JPEG images of {len(PHOTO) // 1000} kB", Sender.small, len(PHOTO) + 12, 200, PHOTO),
)


@dataclass(frozen=True)
class Result:
    """One server under one load once."""

    wall_s: float
    cpu_s: float


def main() -> None:
    """Measure all cases and the memory, and print two tables."""
    with (
        tempfile.TemporaryDirectory() as folder,
        plain(Path(folder, "plain"), "unsynced") as unsynced,
        plain(Path(folder, "synced"), "synced") as synced,
        twinlens(Path(folder, "twinlens")) as ours,
    ):
        servers = {"Starlette, no sync": unsynced, "Starlette, synced": synced, "twinlens": ours}
        print("| case | server | MB/s | ms a file | server CPU s | ratio to Starlette, synced (time) |")
        print("| --- | --- | --- | --- | --- | --- |")
        for case in CASES:
            compare(case, servers)
        print()
        print("| 2 GiB sent to twinlens | peak before, MiB | peak after, MiB | growth, MiB |")
        print("| --- | --- | --- | --- |")
        for name, send in (("chunks of 8 MiB", Sender.resumable), ("one request", Sender.at_once)):
            grow(name, send, ours)


def compare(case: Case, servers: Mapping[str, Server]) -> None:
    """Put one load on all servers in turns, and print the medians."""
    results: dict[str, list[Result]] = {name: [] for name in servers}
    for _ in range(ROUNDS):
        for name, server in servers.items():
            results[name].append(load(case, server))
    wall_s = {name: statistics.median(result.wall_s for result in found) for name, found in results.items()}
    for name, found in results.items():
        cpu_s = statistics.median(result.cpu_s for result in found)
        print(
            f"| {case.name} | {name} | {case.size * case.files / 1e6 / wall_s[name]:.0f} "
            f"| {wall_s[name] / case.files * 1000:.1f} | {cpu_s:.2f} "
            f"| {wall_s[name] / wall_s['Starlette, synced']:.2f} |"
        )


def load(case: Case, server: Server) -> Result:
    """Send one load; what an earlier one left for the disk to do is not counted."""
    os.sync()
    with closing(Sender(server, case.image)) as sender:
        before, start = server.cpu_s, time.perf_counter()
        case.send(sender, case.size)
        result = Result(time.perf_counter() - start, server.cpu_s - before)
    server.clear(server)
    return result


def grow(name: str, send: Callable[[Sender, int], None], server: Server) -> None:
    """Send 2 GiB and print by how much the server's memory has grown since before."""
    # 5 forgets the peak of the past.
    Path(f"/proc/{server.pid}/clear_refs").write_text("5")
    before = server.peak_mib
    with closing(Sender(server)) as sender:
        send(sender, 2048 * MIB)
    after = server.peak_mib
    server.clear(server)
    print(f"| {name} | {before:.1f} | {after:.1f} | {after - before:.1f} |")


def delete_files(server: Server) -> None:
    """Delete all files through the API."""
    with closing(http.client.HTTPConnection("127.0.0.1", server.port)) as connection:
        headers = {"x-goog-api-key": "k"}
        while True:
            connection.request("GET", "/v1beta/files?pageSize=100", headers=headers)
            found = json.loads(connection.getresponse().read()).get("files", ())
            for file in found:
                connection.request("DELETE", f"/v1beta/{file['name']}", headers=headers)
                connection.getresponse().read()
            if not found:
                return


def remove_files(server: Server) -> None:
    """Remove what a plain handler has written."""
    for path in server.folder.iterdir():
        path.unlink()


@contextmanager
def twinlens(folder: Path) -> Iterator[Server]:
    """Run twinlens."""
    port = free_port()
    arguments = ["--engine", "script", "--port", str(port), "--data-dir", str(folder)]
    folder.mkdir()
    with running([sys.executable, "-m", "twinlens", "serve", *arguments], port) as pid:
        yield Server(port, pid, folder, delete_files)


@contextmanager
def plain(folder: Path, sync: str) -> Iterator[Server]:
    """Run the handler that streams to a file, `synced` or not."""
    port = free_port()
    folder.mkdir()
    with running([sys.executable, "-c", PLAIN, str(port), str(folder), sync], port) as pid:
        yield Server(port, pid, folder, remove_files)


if __name__ == "__main__":
    main()
