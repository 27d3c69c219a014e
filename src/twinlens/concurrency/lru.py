"""Values kept up to a weight: what has not been used for longest goes first."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Hashable, Iterator
from math import inf
from typing import Any, Generic, TypeVar

from cachetools import Cache, LRUCache

from .single_flight import SingleFlight

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


def _one(_: object) -> int:
    return 1


class LRU(Generic[Key, Value]):
    """Values by key, which together weigh at most `maxsize`; each weighs one unless `weigh` is given."""

    def __init__(self, maxsize: float = inf, weigh: Callable[[Value], float] = _one) -> None:
        self._maxsize, self._weigh = maxsize, weigh
        self._values: LRUCache[Key, Value] = LRUCache(maxsize, weigh)

    def __contains__(self, key: Key) -> bool:
        return key in self._values

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[Key]:
        return iter(self._values)

    def get(self, key: Key) -> Value | None:
        """Return what is kept under a key, which has been used with that."""
        return self._values.get(key)

    def put(self, key: Key, value: Value) -> None:
        """Keep a value; one that is too heavy by itself is not kept, and drives out nothing."""
        if self._weigh(value) <= self._maxsize:
            self._values[key] = value

    def pop(self, key: Key) -> Value | None:
        """Forget a value, and return it if there was one."""
        return self._values.pop(key, None)

    def pop_oldest(self) -> tuple[Key, Value]:
        """Forget what has not been used for longest, and return it. Raises `KeyError` where all is gone."""
        return self._values.popitem()

    def items(self) -> list[tuple[Key, Value]]:
        """List what is kept, without using it."""
        # A plain look-up would count as use.
        return [(key, Cache.__getitem__(self._values, key)) for key in self._values]

    def clear(self) -> None:
        """Forget everything."""
        self._values.clear()


class AsyncLRU(Generic[Key, Value]):
    """Values that are computed when they are asked for, once for all who ask, and then kept.

    Used from one event loop.
    """

    def __init__(self, maxsize: float = inf, weigh: Callable[[Value], float] = _one) -> None:
        self._kept: LRU[Key, tuple[Value]] = LRU(maxsize, lambda kept: weigh(*kept))
        self._flights: SingleFlight[Value] = SingleFlight()

    async def get_or_compute(self, key: Key, compute: Callable[[], Coroutine[Any, Any, Value]]) -> Value:
        """Return what is kept under a key, or compute it, or wait for whoever does.

        A failure is everybody's who waits, and not kept. The computation ends with the last who waits.
        """
        kept = self._kept.get(key)
        return kept[0] if kept else await self._flights.do(key, lambda: self._computed(key, compute))

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()

    async def _computed(self, key: Key, compute: Callable[[], Coroutine[Any, Any, Value]]) -> Value:
        value = await compute()
        self._kept.put(key, (value,))
        return value
