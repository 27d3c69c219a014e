from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from twinlens.domain.errors import InvalidArgument
from twinlens.fetch.fetcher import FetchRefused
from twinlens.fetch.youtube import YouTube
from twinlens.fetch.ytdlp import Lookup

OFFLINE = """
import runpy, sys
def offline(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo"):
        raise OSError("there is no network")
sys.addaudithook(offline)
runpy.run_module("twinlens.fetch.ytdlp_main", run_name="__main__", alter_sys=True)
"""
"""The real program on a machine without a network."""

STUCK = """
import socket, subprocess, sys, time
line = socket.create_connection(("127.0.0.1", {port}))
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], pass_fds=[line.fileno()])
line.sendall(b"here")
time.sleep(600)
"""
"""A program that never ends, nor does what it has started. Both hold a line to the test."""


INWARD = """
import json, socket, sys
from twinlens.fetch.ytdlp_main import only_public
sys.addaudithook(only_public)
try:
    socket.create_connection(("127.0.0.1", {port})).sendall(b"here")
except OSError as error:
    print(json.dumps({{"said": str(error)}}))
"""
"""The real program's guard, and what it guards against."""


def program(code: str, timeout_s: float = 10.0) -> Lookup:
    return Lookup(timeout_s, [sys.executable, "-c", code])


class Line:
    """The test's end of the line: it falls silent when nobody holds the other end any more."""

    def __init__(self) -> None:
        self.port = 0
        self.taken = asyncio.Event()
        self.silent = asyncio.Event()

    async def hold(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(4)
        self.taken.set()
        await reader.read()
        self.silent.set()
        writer.close()


@asynccontextmanager
async def line() -> AsyncIterator[Line]:
    line = Line()
    listening = await asyncio.start_server(line.hold, "127.0.0.1", 0)
    line.port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield line


async def test_the_program_is_given_the_id_and_its_time() -> None:
    look_up = program("import json, sys; print(json.dumps({'said': sys.argv[1:]}))", 1.5)

    assert await look_up("jNQXAC9IVRw") == {"said": ["jNQXAC9IVRw", "2"]}


async def test_the_program_knows_none_of_our_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWINLENS_API_KEY", "secret")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")

    known = await program("import json, os; print(json.dumps(dict(os.environ)))")("jNQXAC9IVRw")

    assert known["YTDLP_NO_PLUGINS"] == "1"
    assert "TWINLENS_API_KEY" not in known
    assert "HTTPS_PROXY" not in known


@pytest.mark.parametrize("code", ["", "print('nonsense')", "print([])", "print('[' * 100_000)", "exit(1)"])
async def test_a_program_that_prints_nonsense_found_nothing(code: str) -> None:
    assert await program(code)("jNQXAC9IVRw") == {}


async def test_a_program_that_prints_without_end_is_ended() -> None:
    assert await program("while True: print('x' * 100_000)")("jNQXAC9IVRw") == {}


async def test_a_cancelled_look_up_leaves_no_process_behind() -> None:
    async with line() as held:
        look_up = program(STUCK.format(port=held.port))
        task = asyncio.ensure_future(look_up("jNQXAC9IVRw"))
        await held.taken.wait()

        task.cancel()

        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(held.silent.wait(), 120)


async def test_the_real_program_connects_to_no_private_address() -> None:
    pytest.importorskip("yt_dlp")
    async with line() as held:
        tried = await program(INWARD.format(port=held.port))("jNQXAC9IVRw")

    assert tried == {"said": "not a public address"}
    assert not held.taken.is_set()


async def test_without_a_network_the_real_program_says_so() -> None:
    pytest.importorskip("yt_dlp")
    youtube = YouTube(True, (), 1000, 60.0, look_up=program(OFFLINE, 60.0))

    with pytest.raises(InvalidArgument) as caught:
        await youtube.fetch("https://youtu.be/jNQXAC9IVRw", "field")

    await youtube.close()
    assert caught.value.message == "Cannot fetch content from the provided URL. YouTube cannot be reached."


async def test_a_program_that_is_gone_is_told() -> None:
    with pytest.raises(FetchRefused, match="The program that looks videos up cannot be started"):
        await Lookup(10, ["/nowhere/program"])("dQw4w9WgXcQ")
