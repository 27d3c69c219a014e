"""Run work once for all concurrent callers that need it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class _Flight(Generic[T]):
    """Work under way, how many callers wait for it, and whether it goes on without any."""

    task: asyncio.Task[T]
    waiting: int = 0
    is_kept: bool = False


class SingleFlight(Generic[T]):
    """Shares work by its key. Used from one event loop. `joined` counts callers that found it under way."""

    def __init__(self) -> None:
        self._flights: dict[Hashable, _Flight[T]] = {}
        self.joined = 0

    def __contains__(self, key: Hashable) -> bool:
        flight = self._flights.get(key)
        return flight is not None and not flight.task.done()

    async def do(self, key: Hashable, load: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Return the result of the work: start it, or join it where it is under way.

        Cancelling one caller does not affect the others. When none waits any more the work is cancelled,
        and has ended before the last caller goes on: what it had open is closed.
        """
        flight = self._flight(key, load)
        flight.waiting += 1
        try:
            # Unlike awaiting the task, waiting for it does not cancel it.
            await asyncio.wait([flight.task])
            return flight.task.result()
        finally:
            flight.waiting -= 1
            if not flight.waiting and not flight.is_kept:
                await self._end(key, flight)

    def start(self, key: Hashable, load: Callable[[], Coroutine[Any, Any, T]]) -> asyncio.Task[T]:
        """Start the work unless it is under way; it goes on whether or not a caller waits for it."""
        flight = self._flight(key, load)
        flight.is_kept = True
        return flight.task

    async def stop(self) -> None:
        """Cancel all work that is under way, and wait for its end."""
        tasks = [flight.task for flight in self._flights.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _flight(self, key: Hashable, load: Callable[[], Coroutine[Any, Any, T]]) -> _Flight[T]:
        flight = self._flights.get(key)
        # A failed one may still be there until its callers have the error; the next call starts again.
        if flight is None or flight.task.done():
            flight = self._flights[key] = _Flight(asyncio.create_task(load()))
            flight.task.add_done_callback(lambda task: self._land(key, task))
        else:
            self.joined += 1
        return flight

    async def _end(self, key: Hashable, flight: _Flight[T]) -> None:
        self._forget(key, flight.task)
        if not flight.task.done():
            flight.task.cancel()
            await asyncio.gather(flight.task, return_exceptions=True)

    def _land(self, key: Hashable, task: asyncio.Task[T]) -> None:
        self._forget(key, task)
        # Retrieve the error, which nothing else does where all waiting callers were cancelled.
        if not task.cancelled():
            task.exception()

    def _forget(self, key: Hashable, task: asyncio.Task[T]) -> None:
        flight = self._flights.get(key)
        if flight is not None and flight.task is task:
            del self._flights[key]
