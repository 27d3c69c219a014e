"""One end of a connection between two processes; either side may call what the other one offers.

A call has one result or, where the function is an async generator, a stream of items, each sent when it is
asked for. The caller may cancel: the other side is notified, and confirms that the work has ended; one that
does not within a second or so is stuck, and `on_stuck` is called.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import socket
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any, Literal

from . import messages
from .calls import Answers, End, Failure, PeerLost

log = logging.getLogger(__name__)

GRACE_S = 1.0
"""Seconds in which the other side must confirm a cancelled call. Chosen, not measured."""

TURN_S = 0.25
"""Seconds of CPU after which a generator of steps yields to the other calls of the process. Chosen."""

Handler = Callable[..., Any]
"""What may be called: a function or a coroutine, whose value is the result; an async generator, whose items
are the stream; or a generator of steps, whose return value is the result.
"""

Kind = Literal["call", "more", "cancel", "item", "result", "error"]


class Peer:
    """Calls to the other process, and answers to its calls. For one event loop; `run` does the reading."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        handlers: Mapping[str, Handler] | None = None,
        *,
        channel: socket.socket | None = None,
        grace_s: float = GRACE_S,
        on_stuck: Callable[[], object] | None = None,
    ) -> None:
        self._reader, self._writer, self._channel = reader, writer, channel
        if channel is not None:
            channel.setblocking(False)
        self.handlers: Mapping[str, Handler] = handlers or {}
        self._grace_s = grace_s
        self.on_stuck = on_stuck
        self._ids = itertools.count()
        self._waiting: dict[int, Answers] = {}
        self._abandoned: dict[int, asyncio.TimerHandle] = {}
        self._settled = asyncio.Event()
        self._settled.set()
        self._serving: dict[int, asyncio.Task[None]] = {}
        self._wanted: dict[int, asyncio.Semaphore] = {}
        self._is_open = True

    @property
    def is_open(self) -> bool:
        """Whether the other process may still answer."""
        return self._is_open

    @property
    def load(self) -> int:
        """How many calls the other process has not finished."""
        return len(self._waiting) + len(self._abandoned)

    async def settled(self) -> None:
        """Wait until the other process has confirmed the end of all cancelled work."""
        await self._settled.wait()

    async def run(self) -> None:
        """Read until the other side hangs up; then every call in progress ends with `PeerLost`."""
        try:
            while True:
                await self._take(*await messages.receive(self._reader, self._channel))
        except EOFError:
            pass
        except Exception as error:
            log.warning("a process sent what is no message: %s", error)
        finally:
            await self._end()

    def close(self) -> None:
        """Hang up: `run` ends."""
        self._writer.close()

    async def call(self, name: str, *arguments: object) -> Any:
        """Call a function of the other process and wait for its result; cancelling cancels it there."""
        async with self._asking(name, arguments, 0) as answers:
            found: End = await answers.get()
            return found.value()

    async def stream(self, name: str, *arguments: object, ahead: int = 1) -> AsyncGenerator[Any, None]:
        """Call an async generator of the other process; closing this one closes that.

        Up to `ahead` items are made before they are asked for.
        """
        async with self._asking(name, arguments, ahead) as answers:
            while not isinstance(answer := await answers.get(), End):
                self._write("more", answers.number)
                yield answer
            answer.value()

    @asynccontextmanager
    async def _asking(self, name: str, arguments: tuple[object, ...], ahead: int) -> AsyncIterator[Answers]:
        """Call, and yield the answers as they come; leaving before the end cancels the call."""
        if not self._is_open:
            raise PeerLost
        number = next(self._ids)
        answers = self._waiting[number] = Answers(number)
        try:
            await self._send("call", number, name, arguments, ahead)
            yield answers
        finally:
            del self._waiting[number]
            if not answers.is_over:
                self._abandon(number)

    def _abandon(self, number: int) -> None:
        """Notify the other process that the call is cancelled, and start the time it has to stop."""
        if not self._is_open:
            return
        self._write("cancel", number)
        self._settled.clear()
        self._abandoned[number] = asyncio.get_running_loop().call_later(self._grace_s, self._stuck)

    def _stuck(self) -> None:
        if self.on_stuck is not None:
            self.on_stuck()

    async def _send(self, *message: object) -> None:
        self._write(*message)
        # The other side has hung up; `run` says so to whoever waits.
        with suppress(OSError):
            await self._writer.drain()

    def _write(self, *message: object) -> None:
        if not self._is_open:
            return
        encoded = messages.encode(message, share=self._channel is not None)
        if self._channel is not None and encoded.segments:
            try:
                # Before the message: whoever reads that finds them there.
                descriptors = [segment.descriptor for segment in encoded.segments]
                socket.send_fds(self._channel, [b"."], descriptors)
            except OSError:
                encoded = messages.encode(message)
        self._writer.writelines(encoded.parts)

    async def _take(self, kind: Kind, number: int, *rest: Any) -> None:
        match kind:
            case "call":
                task = asyncio.create_task(self._serve(number, *rest))
                self._serving[number] = task
                task.add_done_callback(lambda _: self._serving.pop(number, None))
            case "more":
                if number in self._wanted:
                    self._wanted[number].release()
            case "cancel":
                if number in self._serving:
                    self._serving[number].cancel()
                else:
                    # It was over already, and its result may have been on its way.
                    self._write("result", number, None)
            case "item":
                if number in self._waiting:
                    self._waiting[number].put(rest[0])
            case "result":
                self._finish(number, End(rest[0]))
            case "error":
                self._finish(number, End(failure=rest[0].error()))

    def _finish(self, number: int, end: End) -> None:
        if number in self._waiting:
            self._waiting[number].put(end)
        self._confirm(number)

    def _confirm(self, number: int) -> None:
        timer = self._abandoned.pop(number, None)
        if timer is not None:
            timer.cancel()
        if not self._abandoned:
            self._settled.set()

    async def _serve(self, number: int, name: str, arguments: tuple[Any, ...], ahead: int) -> None:
        """Do what the other process asks for, and say how it ended: also that it was given up."""
        try:
            await self._send("result", number, await self._result(number, name, arguments, ahead))
        except asyncio.CancelledError:
            self._write("result", number, None)
        except Exception as error:
            await self._send("error", number, Failure.of(error))

    async def _result(self, number: int, name: str, arguments: tuple[Any, ...], ahead: int) -> Any:
        if name not in self.handlers:
            raise LookupError(f"there is no {name!r} to call")
        made = self.handlers[name](*arguments)
        match made:
            case AsyncGenerator():
                return await self._items(number, made, ahead)
            case Generator():
                return await in_turns(made)
            case Awaitable():
                return await made
        return made

    async def _items(self, number: int, items: AsyncGenerator[Any, None], ahead: int) -> None:
        wanted = self._wanted[number] = asyncio.Semaphore(ahead)
        try:
            async with aclosing(items):
                while True:
                    await wanted.acquire()
                    try:
                        item = await anext(items)
                    except StopAsyncIteration:
                        return
                    await self._send("item", number, item)
        finally:
            del self._wanted[number]

    async def _end(self) -> None:
        """Nobody is there any more: end what waits for the other side, and what is done for it."""
        self._is_open = False
        self._writer.close()
        if self._channel is not None:
            self._channel.close()
        for timer in self._abandoned.values():
            timer.cancel()
        self._abandoned.clear()
        self._settled.set()
        for answers in self._waiting.values():
            if not answers.is_over:
                answers.put(End(failure=PeerLost()))
        serving = tuple(self._serving.values())
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


async def in_turns(steps: Generator[None, None, Any]) -> Any:
    """Run the steps of a long job, yielding to others every `TURN_S`; return its result."""
    try:
        since = time.thread_time()
        while True:
            try:
                next(steps)
            except StopIteration as end:
                return end.value
            if time.thread_time() - since >= TURN_S:
                await asyncio.sleep(0)
                since = time.thread_time()
    finally:
        steps.close()
