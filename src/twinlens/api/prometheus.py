"""What prometheus_client's metrics need beside themselves: fast series, and a folder for several processes.

The folder is the one that PROMETHEUS_MULTIPROC_DIR names, a variable of prometheus_client's own. Its files
are one process's each and named by the process's number, so the processes must see one another.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Generic, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

# A second series beside each counter, which says when it began, would double them all and tell nothing new.
disable_created_metrics()  # type: ignore[no-untyped-call]

PUBLISHED_EVERY_S = 1.0
"""How old another process's figures may be: Prometheus asks each 15 to 60 s."""

M = TypeVar("M", Counter, Gauge, Histogram)


class Series(dict[tuple[str, ...], M], Generic[M]):
    """The series of one metric by the values of their labels, each looked up once.

    `labels()` locks and copies at each call, which costs more than the counting. What is in here stays, so
    there must be an end to the values.
    """

    def __init__(self, metric: M) -> None:
        super().__init__()
        self._metric: M = metric

    def __missing__(self, values: tuple[str, ...]) -> M:
        """Begin a series."""
        series = self._metric.labels(*values)
        self[values] = series
        return series


class SharedFolder:
    """The folder in which several server processes share their figures."""

    def __init__(self, path: str) -> None:
        """Make the folder. Raises OSError where it cannot be made."""
        os.makedirs(path, exist_ok=True)
        self._path = path

    @classmethod
    def of_environment(cls) -> SharedFolder | None:
        """Give the folder that PROMETHEUS_MULTIPROC_DIR names; None where processes share none."""
        path = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
        return cls(path) if path else None

    def collect_into(self, registry: CollectorRegistry) -> None:
        """Have a registry show the sums of all processes, without what those did that are gone."""
        for path in Path(self._path).glob("gauge_live*_*.db"):
            pid = path.stem.rpartition("_")[2]
            # Who was killed could not take its figures away.
            if pid.isdecimal() and not _is_alive(int(pid)):
                self._forget(int(pid))
        MultiProcessCollector(registry, self._path)  # type: ignore[no-untyped-call]

    @asynccontextmanager
    async def published(self, refresh: Callable[[], None]) -> AsyncIterator[None]:
        """Refresh this process's figures again and again until the block ends, and then take them away."""
        task = asyncio.create_task(_repeat(refresh))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            self._forget(os.getpid())

    def _forget(self, pid: int) -> None:
        mark_process_dead(pid, self._path)  # type: ignore[no-untyped-call]


async def _repeat(step: Callable[[], None]) -> None:
    while True:
        step()
        await asyncio.sleep(PUBLISHED_EVERY_S)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
