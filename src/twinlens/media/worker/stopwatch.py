"""How long a worker process has been at a job, whatever else the machine does meanwhile."""

from __future__ import annotations

import time

from ...processes.state import STOPPED, state_of

POLL_S = 0.1
"""How often to check the process while nothing comes from it."""


class Stopwatch:
    """Times a process from now on, sampled when `tick` is called, every `POLL_S` or so.

    `cpu_s` is what it has worked. `elapsed_s` is the time that has gone by, without what it only waited for
    a core: a process that hangs or was stopped ages, one that is not let work by others does not.
    `stopped_s` is for how long a signal has kept it from going on, which no decoder does to itself.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._clock = time.monotonic()
        self._before = self._cpu = _cpu_seconds(pid)
        self.elapsed_s = 0.0
        self.stopped_s = 0.0

    @property
    def cpu_s(self) -> float:
        """The CPU time that the process has used, or the elapsed time where the system has no such clock."""
        return self.elapsed_s if self._cpu is None or self._before is None else self._cpu - self._before

    def tick(self) -> None:
        """Sample the process's CPU time and state."""
        now, cpu = time.monotonic(), _cpu_seconds(self._pid)
        # What the server slept through is not held against the process.
        passed = min(now - self._clock, 2 * POLL_S)
        worked = cpu - self._cpu if cpu is not None and self._cpu is not None else 0.0
        self._clock, self._cpu = now, self._cpu if cpu is None else cpu
        # After a moment there is nothing to look up.
        state = state_of(self._pid) if passed > POLL_S / 2 else None
        waits_for_a_core = state == b"R" and self._cpu is not None
        self.elapsed_s += worked if waits_for_a_core else max(worked, passed)
        if state is not None:
            self.stopped_s = self.stopped_s + passed if state in STOPPED else 0.0


def _cpu_seconds(pid: int) -> float | None:
    """Return another process's CPU time; None where it has ended or the system has no such clock."""
    try:
        # As clock_getcpuclockid(3) makes it on Linux.
        return time.clock_gettime(~pid << 3 | 2)
    except (OSError, OverflowError):
        return None
