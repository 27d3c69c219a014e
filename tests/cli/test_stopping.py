"""The end of a server in which something does not end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

ENGINE = """
import asyncio, multiprocessing, threading, time
from twinlens.domain.engine import Capabilities, Finished, Text
from twinlens.domain.geometry import area32


class Engine:
    capabilities = Capabilities(name="busy", model="busy", geometry=area32)

    def __init__(self, options):
        pass

    async def start(self):
        pass

    async def stop(self):
        pass

    def count_text(self, text):
        return len(text)

    async def generate(self, request):
        yield Text("I am busy")
        await getattr(self, request.question)()
        yield Finished()

    async def nothing(self):
        pass

    async def threads(self):
        await asyncio.gather(*(asyncio.to_thread(threading.Event().wait) for _ in range(64)))

    async def processes(self):
        child = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(3600,))
        child.start()
        await asyncio.sleep(3600)

    async def loop(self):
        await asyncio.sleep(0.5)
        time.sleep(3600)

    async def shielded(self):
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                pass
"""


@contextmanager
def serving(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Run a server with an engine that is busy in the way that it is asked for."""
    installed = folder / "site"
    (installed / "busy-1.dist-info").mkdir(parents=True)
    (installed / "busy.py").write_text(ENGINE)
    (installed / "busy-1.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: busy\nVersion: 1\n"
    )
    (installed / "busy-1.dist-info" / "entry_points.txt").write_text(
        "[twinlens.engines]\nbusy = busy:Engine\n"
    )
    options = ["--engine", "busy", "--port", "0", "--decode-workers", "1", "--shutdown-timeout-s", "1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "twinlens", "serve", *options, "--data-dir", str(folder / "data")],
        env=os.environ | {"PYTHONPATH": str(installed)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    first = next(line for line in process.stdout if b"listens on" in line)
    try:
        yield process, first.decode().rsplit(" ", 1)[1].strip()
    finally:
        process.kill()
        process.communicate()


def ask(url: str, how: str) -> None:
    """Ask for an answer that never ends, and wait until it has begun."""
    begun = threading.Event()

    def read() -> None:
        path = f"{url}/v1beta/models/gemini-3-flash:streamGenerateContent?alt=sse"
        body = {"contents": [{"parts": [{"text": how}]}]}
        try:
            with httpx.stream(
                "POST", path, json=body, headers={"x-goog-api-key": "k"}, timeout=120
            ) as answer:
                for _ in answer.iter_bytes():
                    begun.set()
        except httpx.TransportError:
            pass

    threading.Thread(target=read, daemon=True).start()
    assert begun.wait(60)


@pytest.mark.parametrize("how", ["threads", "processes", "loop", "shielded"])
def test_sigterm_ends_the_server_whatever_is_busy(tmp_path: Path, how: str) -> None:
    with serving(tmp_path) as (process, url):
        ask(url, how)

        process.send_signal(signal.SIGTERM)

        assert process.wait(60) == 0


@pytest.mark.parametrize("how", ["threads", "shielded"])
def test_ctrl_c_again_and_again_ends_the_server_without_a_traceback(tmp_path: Path, how: str) -> None:
    with serving(tmp_path) as (process, url):
        ask(url, how)

        while process.poll() is None:
            process.send_signal(signal.SIGINT)
            threading.Event().wait(0.2)

        assert process.stderr is not None
        assert b"Traceback" not in (told := process.stderr.read()), told.decode()


def test_nothing_is_forced_where_all_ends_by_itself(tmp_path: Path) -> None:
    with serving(tmp_path) as (process, url):
        assert httpx.get(f"{url}/healthz").status_code == 200

        process.send_signal(signal.SIGTERM)

        assert process.wait(60) == 0
        assert process.stderr is not None
        assert b"in time" not in process.stderr.read()


@pytest.mark.parametrize("size", [10, 500_000], ids=["small", "large"])
def test_others_are_answered_while_the_threads_that_all_share_are_busy(tmp_path: Path, size: int) -> None:
    with serving(tmp_path) as (_, url):
        ask(url, "threads")

        answer = httpx.post(
            f"{url}/v1beta/models/gemini-3-flash:generateContent?key=k",
            json={
                "contents": [{"parts": [{"text": "nothing"}]}],
                "systemInstruction": {"parts": [{"text": "x" * size}]},
            },
            timeout=60,
        )

        assert answer.status_code == 200, answer.text
