"""What was found out, kept for the next question up to a weight; what has not been used for longest goes.

Whoever asks while somebody else is finding out waits for that: equal questions cost one look.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


@dataclass(slots=True)
class _Search(Generic[Value]):
    """Somebody finding out, and how many wait for it."""

    task: asyncio.Task[Value]
    waiting: int = 0


class Memory(Generic[Key, Value]):
    """Values by key; together they weigh at most `most`, by a measure of one's own.

    Used from one event loop.
    """

    def __init__(self, most: int, weigh: Callable[[Value], int]) -> None:
        self._most = most
        self._weigh = weigh
        self._weight = 0
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self._searches: dict[Key, _Search[Value]] = {}

    async def recall(self, key: Key, find_out: Callable[[], Coroutine[Any, Any, Value]]) -> Value:
        """Give what is known of a key, or find it out, or wait for whoever does.

        Cancelling one who waits takes nothing from the others; the last to go ends the search.
        """
        if key in self._values:
            self._values.move_to_end(key)
            return self._values[key]
        search = self._searches.get(key)
        if search is None:
            search = self._searches[key] = _Search(asyncio.create_task(self._found(key, find_out)))
        search.waiting += 1
        try:
            # Unlike awaiting the task, waiting for it does not cancel it.
            await asyncio.wait([search.task])
            return search.task.result()
        finally:
            search.waiting -= 1
            if not search.waiting:
                await self._end(key, search)

    async def _found(self, key: Key, find_out: Callable[[], Coroutine[Any, Any, Value]]) -> Value:
        found = await find_out()
        self._keep(key, found)
        return found

    async def _end(self, key: Key, search: _Search[Value]) -> None:
        """Let go of a search that nobody waits for; what it has open is closed before its asker goes on."""
        if self._searches.get(key) is search:
            del self._searches[key]
        search.task.cancel()
        await asyncio.gather(search.task, return_exceptions=True)

    def _keep(self, key: Key, value: Value) -> None:
        if key in self._values:
            # Somebody else has found out the same meanwhile.
            return
        self._values[key] = value
        self._weight += self._weigh(value)
        while self._weight > self._most:
            _, forgotten = self._values.popitem(last=False)
            self._weight -= self._weigh(forgotten)
