"""The server's side of `forking`: fork a worker, kill one, end them all."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

from .environment import environment
from .forking import MAX_COMMAND_BYTES

_START_TIMEOUT_S = 60.0
_COMMAND_TIMEOUT_S = 4.0
_END_TIMEOUT_S = 1.0
_KEPT_VARIABLES = ("HOME", "OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES", "PYTHONWARNINGS")
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}
"""Threads of a library do not survive a fork."""


class ForkServer:
    """The process that workers are forked from, with `modules` loaded. Started by the first fork.

    One that has ended or does not answer is replaced: its workers end with it, and are forked anew.
    """

    def __init__(self, *modules: str) -> None:
        self._modules = modules
        self._thread: ThreadPoolExecutor | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    @property
    def pid(self) -> int | None:
        """The process number; None before the first fork."""
        return self._process.pid if self._process else None

    async def fork(self, entry: str) -> tuple[int, socket.socket, socket.socket]:
        """Fork a worker that offers what `entry` gives, a `module:function` without arguments.

        Returns its number and the server's ends of its sockets: for messages, and for the descriptors that
        belong to them. Raises OSError where that cannot be done.
        """
        found: tuple[int, socket.socket, socket.socket] = await self._do(self._fork, entry)
        return found

    async def kill(self, pid: int) -> None:
        """End a worker at once. One that has ended, or belongs to an earlier fork server, is left alone."""
        await self._do(self._kill, pid)

    async def stop(self) -> None:
        """End the process and every worker."""
        if self._thread is not None:
            await self._do(self._end)
            self._thread.shutdown(wait=False)
            self._thread = None

    async def _do(self, work: Any, *arguments: object) -> Any:
        # One thread: commands come one after another, and a process that hangs holds up nobody else.
        self._thread = self._thread or ThreadPoolExecutor(1, thread_name_prefix="fork")
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

    def _fork(self, entry: str) -> tuple[int, socket.socket, socket.socket]:
        with ExitStack() as ours, ExitStack() as theirs:
            pairs = [socket.socketpair() for _ in ("messages", "descriptors")]
            for own, other in pairs:
                ours.enter_context(own)
                theirs.enter_context(other)
            command, descriptors = {"fork": entry}, [other.fileno() for _, other in pairs]
            try:
                reply = self._command(command, descriptors)
            except OSError:
                self._end()
                reply = self._command(command, descriptors)
            ours.pop_all()
        return reply["pid"], pairs[0][0], pairs[1][0]

    def _kill(self, pid: int) -> None:
        if self._process is None:
            return
        try:
            self._command({"kill": pid}, [])
        except OSError:
            # The workers end with the process they were forked from.
            self._end()

    def _command(self, command: Mapping[str, object], descriptors: list[int]) -> dict[str, Any]:
        control = self._control or self._start()
        control.settimeout(_COMMAND_TIMEOUT_S)
        socket.send_fds(control, [json.dumps(command).encode()], descriptors)
        return self._reply(control)

    def _start(self) -> socket.socket:
        control, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  our own interpreter and module
                [sys.executable, "-P", "-m", f"{__package__}.forking", str(theirs.fileno()), *self._modules],
                env=environment(*_KEPT_VARIABLES) | _ONE_THREAD,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        self._control = control
        control.settimeout(_START_TIMEOUT_S)
        self._reply(control)
        return control

    def _reply(self, control: socket.socket) -> dict[str, Any]:
        line = control.recv(MAX_COMMAND_BYTES)
        if not line:
            raise ConnectionError("the fork server has ended")
        found: dict[str, Any] = json.loads(line)
        return found

    def _end(self) -> None:
        control, process = self._control, self._process
        self._control = self._process = None
        if control is not None:
            control.close()
        if process is not None:
            # It ends its workers first; what hangs is killed, and they with it.
            try:
                process.wait(_END_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
