"""The second question on the same picture against the first: what keeping decoded pixels saves.

Run it alone: `python bench/again.py`. A real server of one worker on loopback answers with the script engine,
so what is left is the server's own work. Each of a number of 12 MP JPEG files is uploaded, asked about once,
once more, and once after the server was started anew. The wall time is that of generateContent; the CPU is
that of the server and its decoders, read from /proc, so it runs on Linux only.
"""

from __future__ import annotations

import argparse
import base64
import io
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image

import servers
from servers import TICKS, cpu_seconds, free_port

RESOLUTIONS = {280: "MEDIA_RESOLUTION_LOW", 1120: "MEDIA_RESOLUTION_HIGH"}


@dataclass(frozen=True)
class Server:
    """A running server: its process and a client of it."""

    pid: int
    client: httpx.Client


@dataclass(frozen=True)
class Result:
    """One question about every file: each answer's wall time, and the CPU time of all together."""

    latencies_s: list[float]
    cpu_s: float

    @property
    def p50_ms(self) -> float:
        return statistics.median(self.latencies_s) * 1000

    @property
    def cpu_ms(self) -> float:
        return self.cpu_s / len(self.latencies_s) * 1000


def main() -> None:
    """Ask three times for every budget, and print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=30, help="pictures to ask about")
    count = parser.parse_args().files
    print("| image tokens | question | p50 ms | slowest ms | CPU ms | p50 to the first | CPU to the first |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        with running(Path(folder)) as server:
            uris = [upload(server.client, body) for body in photos(count)]
            asked = {tokens: [ask(server, uris, tokens) for _ in range(2)] for tokens in RESOLUTIONS}
        with running(Path(folder)) as server:
            for tokens, results in asked.items():
                show(tokens, [*results, ask(server, uris, tokens)])


def show(tokens: int, results: Sequence[Result]) -> None:
    """Print the rows of one budget; the first question is the baseline."""
    names = ("first (baseline)", "second", "after a restart")
    for name, result in zip(names, results, strict=True):
        print(
            f"| {tokens} | {name} | {result.p50_ms:.1f} | {max(result.latencies_s) * 1000:.1f} "
            f"| {result.cpu_ms:.1f} | {result.p50_ms / results[0].p50_ms:.2f} "
            f"| {result.cpu_s / max(results[0].cpu_s, 1 / TICKS):.2f} |"
        )


def ask(server: Server, uris: Sequence[str], tokens: int) -> Result:
    """Ask about every file, one after the other."""
    latencies = []
    before = cpu_with_children(server.pid)
    for uri in uris:
        part = {"fileData": {"fileUri": uri}}
        start = time.perf_counter()
        answer = generate(server.client, part, RESOLUTIONS[tokens])
        latencies.append(time.perf_counter() - start)
        (image,) = (d for d in answer["usageMetadata"]["promptTokensDetails"] if d["modality"] == "IMAGE")
        if image["tokenCount"] != tokens:
            raise SystemExit(f"billed {image} instead of {tokens}")
    return Result(latencies, cpu_with_children(server.pid) - before)


def generate(client: httpx.Client, part: dict[str, Any], resolution: str) -> Any:
    """Ask about one picture."""
    body = {
        "contents": [{"parts": [part, {"text": "Caption this image."}]}],
        "generationConfig": {"mediaResolution": resolution},
    }
    answer = client.post("/v1beta/models/gemini-3-flash-preview:generateContent", json=body)
    if answer.status_code != 200:
        raise SystemExit(f"the server answered {answer.text}")
    return answer.json()


def upload(client: httpx.Client, body: bytes) -> str:
    """Upload one file and give its URI."""
    start = {
        "X-Goog-Upload-Protocol": "resumable",
        "X-Goog-Upload-Command": "start",
        "X-Goog-Upload-Header-Content-Length": str(len(body)),
        "X-Goog-Upload-Header-Content-Type": "image/jpeg",
    }
    url = client.post("/upload/v1beta/files", headers=start).headers["x-goog-upload-url"]
    rest = {"X-Goog-Upload-Command": "upload, finalize", "X-Goog-Upload-Offset": "0"}
    return str(client.post(url, headers=rest, content=body).json()["file"]["uri"])


def photos(count: int) -> Iterator[bytes]:
    """Make 12 MP JPEGs that differ in a comment only, so that each is new and all cost the same."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (75, 100, 3), dtype=np.uint8)
    smooth = Image.fromarray(coarse).resize((4000, 3000), Image.Resampling.BICUBIC)
    noisy = np.asarray(smooth, np.int16) + rng.integers(-12, 13, (3000, 4000, 1), dtype=np.int16)
    photo = Image.fromarray(noisy.clip(0, 255).astype(np.uint8))
    for number in range(count):
        out = io.BytesIO()
        photo.save(out, "JPEG", quality=88, comment=f"photo {number}".encode())
        yield out.getvalue()


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    """Run a server on a data folder, with its decoder ready, until the block ends."""
    port = free_port()
    command = [sys.executable, "-m", "twinlens", "serve", "--engine", "script", "--port", str(port)]
    with (
        servers.running([*command, "--data-dir", str(folder), "--decode-workers", "1"], port) as pid,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"x-goog-api-key": "k"}) as client,
    ):
        wait_until_ready(client)
        yield Server(pid, client)


def wait_until_ready(client: httpx.Client) -> None:
    """Wait for the server, and for its decoder with a picture that is too small to be kept."""
    for _ in range(200):
        try:
            if client.get("/readyz").status_code == 200:
                break
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    out = io.BytesIO()
    Image.new("RGB", (32, 32)).save(out, "PNG")
    tiny = {"inlineData": {"mimeType": "image/png", "data": base64.b64encode(out.getvalue()).decode()}}
    for _ in range(5):
        generate(client, tiny, RESOLUTIONS[280])


def cpu_with_children(pid: int) -> float:
    """Read the CPU time that a process and its living children have used."""
    threads = Path(f"/proc/{pid}/task").glob("*/children")
    children = [int(child) for thread in threads for child in thread.read_text().split()]
    return sum(map(cpu_seconds, (pid, *children)))


if __name__ == "__main__":
    main()
