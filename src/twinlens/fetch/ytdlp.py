"""The process that looks up a video, from the server's side: start it, read its output, end it.

It parses untrusted input, so it gets nothing of the server's: no secrets, no files, no terminal.
However a look-up ends, its process and all that it started end with it.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from importlib.util import find_spec

from ..processes.environment import environment
from .fetcher import FetchRefused

MAX_REPLY_BYTES = 4 * 1024 * 1024

_NOT_INSTALLED = "YouTube videos are fetched with yt-dlp, which is missing: pip install 'twinlens[youtube]'."
_COMMAND = (sys.executable, "-P", "-m", f"{__package__}.extraction")
_KEPT_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR")


class Lookup:
    """Looks videos up with a program that takes an id and the seconds it has, and prints a JSON object."""

    def __init__(self, timeout_s: float, command: Sequence[str] = _COMMAND) -> None:
        self._timeout_s = timeout_s
        self._command = command

    async def __call__(self, video: str) -> Mapping[str, object]:
        """Return the JSON object that the program prints; an empty one where it prints no such."""
        if self._command == _COMMAND and find_spec("yt_dlp") is None:
            raise FetchRefused(_NOT_INSTALLED)
        try:
            async with _running([*self._command, video, str(math.ceil(self._timeout_s))]) as process:
                printed = await _printed(process)
        except OSError as cause:
            raise FetchRefused("The program that looks videos up cannot be started.") from cause
        try:
            found = json.loads(printed)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}


@asynccontextmanager
async def _running(command: Sequence[str]) -> AsyncIterator[Process]:
    """Run a program in a process group of its own, and leave nothing of it behind."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env=environment(*_KEPT_VARIABLES) | {"YTDLP_NO_PLUGINS": "1"},
        cwd="/",
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        # What is left in the pipe has to be read, or the end is never noticed.
        await process.communicate()


async def _printed(process: Process) -> bytes:
    assert process.stdout is not None
    printed = b""
    while len(printed) <= MAX_REPLY_BYTES and (piece := await process.stdout.read(65_536)):
        printed += piece
    return printed
