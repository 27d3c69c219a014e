"""The end of the server's process, in time and whatever is going on in it.

What is in flight gets its time, then everything is closed in order. Neither waits for ever: a thread that is
busy, or a process that does not end, would else keep the interpreter from exiting. Nothing that was
acknowledged needs an orderly end: the store is made for a crash.
"""

from __future__ import annotations

import faulthandler
import logging
import multiprocessing
import os
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

import click
from uvicorn import Config, Server

CLOSING_S = 5.0
"""For closing everything in order, after the time that requests in flight get."""

SPARE_S = 2.0
"""After that the process ends also where no Python can run, since something holds the interpreter's lock."""

log = logging.getLogger(__name__)


class Stopping(Server):
    """A server that calls `release` before it waits for the requests in flight, and ends in time."""

    def __init__(self, config: Config, release: Callable[[], None]) -> None:
        super().__init__(config)
        self._release = release
        self._limit_s = (config.timeout_graceful_shutdown or 0) + CLOSING_S
        self._asked = threading.Event()
        # Started now: in a signal's handler, a thread that is being started may hold the lock for that.
        threading.Thread(target=self._end, name="ending", daemon=True).start()

    def stop(self, *_: object) -> None:
        """Begin to stop, from a signal's handler or elsewhere."""
        self.should_exit = True
        if not self._asked.is_set():
            self._asked.set()
            # Where there is no standard error to write to, the thread alone has to do.
            with suppress(RuntimeError, AttributeError, ValueError, OSError):
                faulthandler.dump_traceback_later(self._limit_s + SPARE_S, exit=True)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop because of a signal."""
        super().handle_exit(sig, frame)
        self.stop()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop."""
        self._say_so()
        self._release()
        await super().shutdown(sockets)

    def _say_so(self) -> None:
        """Tell who sits at the terminal, which may be gone."""
        limit_s = self.config.timeout_graceful_shutdown or 0
        with suppress(AttributeError, ValueError, OSError):
            if sys.stderr.isatty():
                click.echo(f"Stopping within {limit_s:g} s. Ctrl-C again stops at once.", err=True)

    def _end(self) -> None:
        self._asked.wait()
        threading.Event().wait(self._limit_s)
        log.error("Not everything stopped in time. The server ends; what was acknowledged is safe.")
        # Engines of others may have some; ours end with this process.
        for child in multiprocessing.active_children():
            child.kill()
        sys.stdout.flush()
        os._exit(0)
