"""Whose job is next when there are more jobs than workers.

Projects take turns. Within one, every second turn goes to the request that has used the least CPU time so
far, so that a small image does not wait for a whole video; the other turns go to the request that has
waited the longest, so that no video waits for ever. Long jobs leave one worker to others.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from itertools import count

from .compute_quota import ComputeQuota


@dataclass(frozen=True, slots=True, eq=False)
class _Waiter:
    """A job that waits: `ready` resolves when its turn comes; numbered in the order of arrival."""

    ready: asyncio.Future[None]
    number: int


@dataclass(slots=True)
class _Share:
    """What a project has had: how many turns, and when the last one was."""

    turns: int = 0
    last: int = 0


@dataclass(frozen=True, slots=True)
class _Line:
    """The jobs of one request that wait, long ones apart from others."""

    quota: ComputeQuota
    is_long: bool
    waiters: deque[_Waiter] = field(default_factory=deque)


class JobQueue:
    """A fair queue for `places` workers. Used from one event loop."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._free_for_long = max(places - 1, 1)
        self._lines: dict[tuple[ComputeQuota, bool], _Line] = {}
        self._shares: dict[str, _Share] = {}
        self._numbers, self._ticks = count(), count(1)

    async def take(self, quota: ComputeQuota, *, is_long: bool) -> None:
        """Wait for a free worker; the caller returns it with `give_back`. Raises what `close` was given."""
        waiter = _Waiter(asyncio.get_running_loop().create_future(), next(self._numbers))
        line = self._lines.setdefault((quota, is_long), _Line(quota, is_long))
        line.waiters.append(waiter)
        self._serve()
        try:
            await waiter.ready
        except asyncio.CancelledError:
            if waiter.ready.cancelled():
                self._forget(line, waiter)
            elif waiter.ready.exception() is None:
                self.give_back(is_long=is_long)
            raise

    def give_back(self, *, is_long: bool) -> None:
        """Return the worker, for the next job."""
        self._free += 1
        self._free_for_long += is_long
        self._serve()

    def close(self, error: Exception) -> None:
        """Raise `error` for all who wait."""
        lines, self._lines = self._lines, {}
        for line in lines.values():
            for waiter in line.waiters:
                if not waiter.ready.done():
                    waiter.ready.set_exception(error)

    def _serve(self) -> None:
        while self._free and (line := self._next()):
            waiter = line.waiters[0]
            self._forget(line, waiter)
            if waiter.ready.done():
                continue
            share = self._shares.setdefault(line.quota.project, _Share())
            share.turns, share.last = share.turns + 1, next(self._ticks)
            self._free -= 1
            self._free_for_long -= line.is_long
            waiter.ready.set_result(None)

    def _next(self) -> _Line | None:
        """Return whose turn is next among those for whom a worker is free."""
        able = [line for line in self._lines.values() if self._free_for_long or not line.is_long]
        if not able:
            return None
        project = min(able, key=lambda line: self._share(line).last).quota.project
        own = [line for line in able if line.quota.project == project]
        if self._share(own[0]).turns % 2:
            return min(own, key=_arrival)
        return min(own, key=lambda line: (line.quota.spent_s, _arrival(line)))

    def _share(self, line: _Line) -> _Share:
        return self._shares.get(line.quota.project, _Share())

    def _forget(self, line: _Line, waiter: _Waiter) -> None:
        if waiter in line.waiters:
            line.waiters.remove(waiter)
            if not line.waiters:
                del self._lines[line.quota, line.is_long]


def _arrival(line: _Line) -> int:
    return line.waiters[0].number
