"""From a 15 MB JSON body to decoded bytes: twinlens against json, pydantic and the standard base64.

Run alone: `python bench/ingest.py`. Times are medians of interleaved rounds; extra memory is how far
the peak of a fresh process rises above what it held with the body in memory, as a multiple of it; it is
read from /proc, so it runs on Linux only.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from twinlens.domain.generations import LINES
from twinlens.domain.request import Inline
from twinlens.wire import gemini

BODY_BYTES = 15 * 2**20
LINE = LINES["gemini-3"]


class Camel(BaseModel):
    """Fields by their camelCase names."""

    model_config = ConfigDict(alias_generator=to_camel)


class Blob(Camel):
    """Inline bytes."""

    mime_type: str
    data: str


class Part(Camel):
    """A text or inline bytes."""

    text: str | None = None
    inline_data: Blob | None = None


class Content(Camel):
    """One turn."""

    role: str = "user"
    parts: list[Part]


class Body(Camel):
    """The request."""

    contents: list[Content]


def by_pydantic(body: bytes) -> bytes:
    """Read as a web framework does."""
    blob = Body.model_validate(json.loads(body)).contents[0].parts[1].inline_data
    assert blob is not None
    return base64.b64decode(blob.data.replace("-", "+").replace("_", "/") if "-" in blob.data else blob.data)


def by_twinlens(body: bytes) -> bytes | bytearray | memoryview:
    """Read as twinlens does: the whole request, checked."""
    source = gemini.read_generate(body, "gemini-3-flash-preview", LINE).media[0].source
    assert isinstance(source, Inline)
    return source.data


Read = Callable[[bytes], bytes | bytearray | memoryview]
PATHS: dict[str, Read] = {"json, pydantic, base64": by_pydantic, "twinlens": by_twinlens}
ALPHABETS: dict[str, Callable[[bytes], bytes]] = {
    "standard": base64.b64encode,
    "url-safe": base64.urlsafe_b64encode,
}


def make_body(media: bytes, encode: Callable[[bytes], bytes]) -> bytes:
    """Make a request with one large image, as a client sends it."""
    head = b'{"contents": [{"role": "user", "parts": [{"text": "What is this?"}, {"inlineData": '
    head += b'{"mimeType": "image/png", "data": "'
    return head + encode(media) + b'"}}]}], "generationConfig": {"temperature": 0}}'


def milliseconds(bodies: dict[str, bytes], rounds: int) -> dict[tuple[str, str], float]:
    """Time every path on every body, taking turns."""
    times: dict[tuple[str, str], list[float]] = {}
    for _ in range(rounds):
        for alphabet, body in bodies.items():
            for name, read in PATHS.items():
                begin = time.perf_counter()
                read(body)
                times.setdefault((alphabet, name), []).append((time.perf_counter() - begin) * 1000)
    return {key: statistics.median(taken) for key, taken in times.items()}


def extra_memory(name: str, body: Path) -> float:
    """Measure one path in a process of its own."""
    command = [sys.executable, __file__, "--peak", name, str(body)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def peak(name: str, path: Path) -> float:
    """Read once and tell how much more than the body was held, in bodies."""
    PATHS[name](make_body(b"warm", base64.b64encode))
    body = path.read_bytes()
    before = high_water_kib()
    kept = PATHS[name](body)
    assert kept
    return (high_water_kib() - before) * 1024 / len(body)


def high_water_kib() -> int:
    """Read the peak of this process's memory; `ru_maxrss` would count the parent's too."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--peak", nargs=2, metavar=("PATH", "BODY"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak:
        print(peak(options.peak[0], Path(options.peak[1])))
        return
    media = os.urandom(BODY_BYTES * 3 // 4)
    bodies = {alphabet: make_body(media, encode) for alphabet, encode in ALPHABETS.items()}
    for body in bodies.values():
        assert all(read(body) == media for read in PATHS.values())
    times = milliseconds(bodies, options.rounds)
    print(f"| base64 | path | ms | MB/s | times faster | extra memory |\n|{'---|' * 6}")
    with tempfile.TemporaryDirectory() as folder:
        for (alphabet, name), taken in times.items():
            file = Path(folder, alphabet)
            file.write_bytes(bodies[alphabet])
            speed = len(bodies[alphabet]) / 1e6 / (taken / 1000)
            ratio = times[alphabet, "json, pydantic, base64"] / taken
            memory = extra_memory(name, file)
            print(f"| {alphabet} | {name} | {taken:.2f} | {speed:,.0f} | {ratio:.1f}x | {memory:.2f}x |")


if __name__ == "__main__":
    main()
