"""A cache limited by weight: the least recently used value is evicted first."""

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
        """Return the value of a key, which counts as use; None where there is none."""
        return self._values.get(key)

    def put(self, key: Key, value: Value) -> None:
        """Store a value; one heavier than the whole cache is not stored, and evicts nothing."""
        if self._weigh(value) <= self._maxsize:
            self._values[key] = value

    def pop(self, key: Key) -> Value | None:
        """Remove a value, and return it if there was one."""
        return self._values.pop(key, None)

    def pop_oldest(self) -> tuple[Key, Value]:
        """Remove the least recently used value, and return it. Raises `KeyError` where there is none."""
        return self._values.popitem()

    def items(self) -> list[tuple[Key, Value]]:
        """Return all keys and values, which does not count as use."""
        # A plain look-up would count as use.
        return [(key, Cache.__getitem__(self._values, key)) for key in self._values]

    def clear(self) -> None:
        """Remove everything."""
        self._values.clear()


class AsyncLRU(Generic[Key, Value]):
    """Values that are computed on first use, once for all concurrent callers, and then cached.

    Used from one event loop.
    """

    def __init__(self, maxsize: float = inf, weigh: Callable[[Value], float] = _one) -> None:
        self._cached: LRU[Key, tuple[Value]] = LRU(maxsize, lambda entry: weigh(*entry))
        self._flights: SingleFlight[Value] = SingleFlight()

    async def get_or_compute(self, key: Key, compute: Callable[[], Coroutine[Any, Any, Value]]) -> Value:
        """Return the cached value of a key, or compute it, or wait for the call that does.

        An error is raised in every waiting caller, and not cached. The computation is cancelled with the
        last of them.
        """
        cached = self._cached.get(key)
        return cached[0] if cached else await self._flights.do(key, lambda: self._computed(key, compute))

    def clear(self) -> None:
        """Remove everything."""
        self._cached.clear()

    async def _computed(self, key: Key, compute: Callable[[], Coroutine[Any, Any, Value]]) -> Value:
        value = await compute()
        self._cached.put(key, (value,))
        return value
