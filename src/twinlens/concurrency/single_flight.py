"""Work that several requests wait for is done once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class _Flight(Generic[T]):
    """Work on its way, and how many wait for it."""

    task: asyncio.Task[T]
    waiting: int = 0


class SingleFlight(Generic[T]):
    """Shares work by its name. Used from one event loop. `joined` counts those who found it on its way."""

    def __init__(self) -> None:
        self._flights: dict[str, _Flight[T]] = {}
        self.joined = 0

    async def do(self, name: str, load: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Do the work, or wait for whoever does it. It ends when nobody waits any more."""
        flight = self._flights.get(name)
        # One that has failed may wait for those it is to tell; the next begins anew.
        if flight is None or flight.task.done():
            flight = self._flights[name] = _Flight(asyncio.create_task(load()))
            flight.task.add_done_callback(_hear)
        else:
            self.joined += 1
        flight.waiting += 1
        try:
            # Unlike awaiting the task, waiting for it does not cancel it.
            await asyncio.wait([flight.task])
            return flight.task.result()
        finally:
            flight.waiting -= 1
            if not flight.waiting:
                flight.task.cancel()
                if self._flights.get(name) is flight:
                    del self._flights[name]


def _hear(task: asyncio.Task[Any]) -> None:
    """Take note of a failure, which nobody else does where all who waited are gone."""
    if not task.cancelled():
        task.exception()
