"""Work that several callers wait for is done once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class _Flight(Generic[T]):
    """Work on its way, how many wait for it, and whether it goes on although nobody does."""

    task: asyncio.Task[T]
    waiting: int = 0
    is_kept: bool = False


class SingleFlight(Generic[T]):
    """Shares work by its key. Used from one event loop. `joined` counts those who found it on its way."""

    def __init__(self) -> None:
        self._flights: dict[Hashable, _Flight[T]] = {}
        self.joined = 0

    def __contains__(self, key: Hashable) -> bool:
        flight = self._flights.get(key)
        return flight is not None and not flight.task.done()

    async def do(self, key: Hashable, load: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Do the work, or wait for whoever does it.

        Cancelling one caller takes nothing from the others. When nobody waits any more the work is cancelled,
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
        """Begin the work unless it is under way, and keep it going whether or not anybody waits for it."""
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
        # One that has failed may wait for those it is to tell; the next begins anew.
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
        # Take note of a failure, which nobody else does where all who waited are gone.
        if not task.cancelled():
            task.exception()

    def _forget(self, key: Hashable, task: asyncio.Task[T]) -> None:
        flight = self._flights.get(key)
        if flight is not None and flight.task is task:
            del self._flights[key]
