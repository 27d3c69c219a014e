"""What the server costs on top of bare Starlette: a tiny request, and 5 MB and 15 MB inline images.

Run it alone: `python bench/latency.py`. Both servers are real processes of one worker on loopback, under
the same uvicorn settings; the baseline reads the same request bytes and answers the same response bytes.
CPU is that of the server's own process, read from /proc, so it runs on Linux only.
"""

from __future__ import annotations

import asyncio
import base64
import io
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from servers import TICKS, cpu_seconds, free_port, running

BASELINE = """
import sys, uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
answer = open(sys.argv[2], "rb").read()
async def echo(request):
    await request.body()
    return Response(answer, media_type="application/json; charset=UTF-8")
app = Starlette(routes=[Route("/{rest:path}", echo, methods=["POST"])])
uvicorn.run(app, port=int(sys.argv[1]), log_level="warning", access_log=False, server_header=False, ws="none")
"""
TINY = {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}


@dataclass(frozen=True)
class Result:
    """One server under one load: seconds of wall, of its own CPU, and each request's latency."""

    requests: int
    wall_s: float
    cpu_s: float
    latencies_s: list[float]

    @property
    def rate(self) -> float:
        return self.requests / self.wall_s

    @property
    def cpu_ms(self) -> float:
        return self.cpu_s / self.requests * 1000

    def percentile(self, share: float) -> float:
        return sorted(self.latencies_s)[min(int(share * self.requests), self.requests - 1)] * 1000


def main() -> None:
    """Measure every case on both servers and print one table."""
    print(
        "| case | load | server | requests/s | p50 ms | p99 ms | server CPU ms | ratio to Starlette (CPU) |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    bodies = {
        "tiny text": json.dumps(TINY).encode(),
        "5 MB image": image_request(5_000_000),
        "15 MB image": image_request(15_000_000),
    }
    for name, body in bodies.items():
        small = len(body) < 10_000
        plans = (
            (("generateContent", 1, 1500), ("generateContent", 32, 8000))
            if small
            else (
                ("countTokens", 1, 20),
                ("generateContent", 1, 12),
            )
        )
        for method, connections, requests in plans:
            asyncio.run(compare(name, method, body, connections, requests))


async def compare(name: str, method: str, body: bytes, connections: int, requests: int) -> None:
    """Put one load on both servers, in turns, and print their rows."""
    path = f"/v1beta/models/gemini-3-flash-preview:{method}"
    with twinlens() as (port, pid), tempfile.TemporaryDirectory() as folder:
        await load(port, pid, path, body, connections, max(requests // 10, 3))
        answer = Path(folder, "answer.json")
        answer.write_bytes(await ask(port, path, body))
        with baseline(answer) as (bare_port, bare_pid):
            await load(bare_port, bare_pid, path, body, connections, max(requests // 10, 3))
            ours = await load(port, pid, path, body, connections, requests)
            bare = await load(bare_port, bare_pid, path, body, connections, requests)
    for server, result in (("Starlette", bare), ("twinlens", ours)):
        print(
            f"| {name} | {method}, {connections} at once | {server} | {result.rate:.0f} "
            f"| {result.percentile(0.5):.2f} | {result.percentile(0.99):.2f} | {result.cpu_ms:.3f} "
            f"| {result.cpu_s / max(bare.cpu_s, 1 / TICKS):.1f} |"
        )


async def load(port: int, pid: int, path: str, body: bytes, connections: int, requests: int) -> Result:
    """Send the request again and again over some connections that stay open."""
    latencies: list[float] = []
    left = iter(range(requests))
    before, start = cpu_seconds(pid), time.perf_counter()
    await asyncio.gather(
        *(_client(port, request_bytes(path, body), left, latencies) for _ in range(connections))
    )
    return Result(requests, time.perf_counter() - start, cpu_seconds(pid) - before, latencies)


async def _client(port: int, request: bytes, left: Iterator[int], latencies: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    for _ in left:
        start = time.perf_counter()
        writer.write(request)
        await writer.drain()
        await _response(reader)
        latencies.append(time.perf_counter() - start)
    writer.close()


async def ask(port: int, path: str, body: bytes) -> bytes:
    """Send one request and give the body of the response."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request_bytes(path, body))
    answer = await _response(reader)
    writer.close()
    return answer


async def _response(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    if b" 200 " not in head.split(b"\r\n", 1)[0]:
        raise SystemExit(f"the server answered {head!r}")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return await reader.readexactly(int(length.split(b":")[1]))


def request_bytes(path: str, body: bytes) -> bytes:
    """Write one HTTP request."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nx-goog-api-key: k\r\nContent-Type: application/json\r\n"
    )
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def image_request(size: int) -> bytes:
    """Write a request with a 12 MP JPEG of the given size; APP15 segments fill it up."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (75, 100, 3), dtype=np.uint8)
    photo = Image.fromarray(coarse).resize((4000, 3000), Image.Resampling.BICUBIC)
    noisy = np.asarray(photo, np.int16) + rng.integers(-12, 13, (3000, 4000, 1), dtype=np.int16)
    out = io.BytesIO()
    Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(out, "JPEG", quality=88)
    jpeg = out.getvalue()
    missing = max(size - len(jpeg), 0)
    filler = b"\xff\xef\xff\xff" + bytes(0xFFFD)
    data = jpeg[:2] + filler * (missing // len(filler)) + jpeg[2:]
    part = {"inlineData": {"mimeType": "image/jpeg", "data": base64.b64encode(data).decode()}}
    return json.dumps({"contents": [{"parts": [part, {"text": "Caption this image."}]}]}).encode()


@contextmanager
def twinlens() -> Iterator[tuple[int, int]]:
    """Run twinlens with the script engine, which answers "ok" at once."""
    port = free_port()
    with tempfile.TemporaryDirectory() as data:
        arguments = ["--engine", "script", "--port", str(port), "--data-dir", data]
        limits = ["--max-request-bytes", str(64 << 20)]
        with running([sys.executable, "-m", "twinlens", "serve", *arguments, *limits], port) as pid:
            yield port, pid


@contextmanager
def baseline(answer: Path) -> Iterator[tuple[int, int]]:
    """Run the bare Starlette app."""
    port = free_port()
    with running([sys.executable, "-c", BASELINE, str(port), str(answer)], port) as pid:
        yield port, pid


if __name__ == "__main__":
    main()
