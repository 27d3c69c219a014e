"""The process that workers are forked from: it has loaded their code, and does nothing else.

It takes one command at a time, a JSON line: `{"fork": "module:function"}` with the worker's two sockets, or
`{"kill": pid}`. It is the workers' parent, so a number it is told to kill is surely still theirs. When the
server hangs up, or is killed, all workers end with this process.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, NoReturn

from .peer import Handler, Peer

MAX_COMMAND_BYTES = 4096
READ_LIMIT_BYTES = 1 << 20
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class Template:
    """Forks workers and reaps them."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._children: set[int] = set()
        self._wake, self._woken = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(self._woken, False)

    def run(self) -> None:
        """Run commands until the server hangs up; then end every worker."""
        # The server decides when its workers end, also where a signal is sent to all processes of a group.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._woken)
        self._say({})
        while True:
            ready, _, _ = select.select([self._control.fileno(), self._wake], [], [])
            self._reap()
            if self._control.fileno() in ready and not self._obey():
                break
        for pid in self._children:
            os.kill(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            while True:
                os.waitpid(-1, 0)

    def _obey(self) -> bool:
        line, descriptors, _, _ = socket.recv_fds(self._control, MAX_COMMAND_BYTES, 2)
        if not line:
            return False
        command = json.loads(line)
        if "kill" in command:
            self._kill(command["kill"])
            self._say({})
        else:
            self._say({"pid": self._fork(command["fork"], *descriptors)})
        return True

    def _kill(self, pid: int) -> None:
        if pid in self._children:
            os.kill(pid, signal.SIGKILL)

    def _fork(self, entry: str, messages: int, descriptors: int) -> int:
        template = os.getpid()
        pid = os.fork()
        if not pid:
            self._become(entry, messages, descriptors, template)
        os.close(messages)
        os.close(descriptors)
        self._children.add(pid)
        return pid

    def _become(self, entry: str, messages: int, descriptors: int, template: int) -> NoReturn:
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            if _LIBC is not None:
                _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
                if os.getppid() != template:
                    # It has ended already, and the signal will never come.
                    os._exit(0)
            self._control.close()
            os.close(self._wake)
            os.close(self._woken)
            module, _, name = entry.partition(":")
            handlers: Mapping[str, Handler] = getattr(importlib.import_module(module), name)()
            sockets = socket.socket(fileno=messages), socket.socket(fileno=descriptors)
            asyncio.run(serve(*sockets, handlers))
        finally:
            os._exit(0)

    def _reap(self) -> None:
        with suppress(BlockingIOError):
            while os.read(self._wake, 512):
                pass
        with suppress(ChildProcessError):
            while (pid := os.waitpid(-1, os.WNOHANG)[0]) != 0:
                self._children.discard(pid)

    def _say(self, reply: Mapping[str, Any]) -> None:
        self._control.sendall(json.dumps(reply).encode() + b"\n")


async def serve(connection: socket.socket, channel: socket.socket, handlers: Mapping[str, Handler]) -> None:
    """Answer the server's calls until it hangs up."""
    reader, writer = await asyncio.open_unix_connection(sock=connection, limit=READ_LIMIT_BYTES)
    peer = Peer(reader, writer, handlers, channel=channel)
    bind(peer)
    await peer.run()


_peer: Peer | None = None


def bind(peer: Peer) -> None:
    """Make the connection to the server known to `server`."""
    global _peer
    _peer = peer


def server() -> Peer:
    """Return the connection to the server; in a worker only."""
    if _peer is None:
        raise RuntimeError("this is no worker process")
    return _peer


def main(arguments: Sequence[str]) -> None:
    """Load the modules that are named, and fork workers on demand."""
    descriptor, *modules = arguments
    for module in modules:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()
    Template(socket.socket(fileno=int(descriptor))).run()


if __name__ == "__main__":
    # Run as a script this would be another module than the one that workers import.
    from .forking import main as run

    run(sys.argv[1:])
