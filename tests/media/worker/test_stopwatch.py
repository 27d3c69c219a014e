"""The time that counts against a worker: its work, and when it hangs; not when it waits for a core."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from twinlens.media.worker.process import Within, WorkerDied
from twinlens.media.worker.stopwatch import POLL_S, Stopwatch


@contextmanager
def running(code: str) -> Iterator[int]:
    process = subprocess.Popen([sys.executable, "-c", code])
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


def on_core(core: int, niceness: int) -> str:
    """Write a program that is busy on one core only."""
    lines = (
        "import os",
        # Never in a class of its own that would leave the tests no time.
        "os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))",
        f"os.sched_setaffinity(0, {{{core}}})",
        f"os.nice({niceness})",
        BUSY,
    )
    return "\n".join(lines)


def keep_checking(watch: Within) -> None:
    for _ in range(1000):
        watch.check()
        time.sleep(POLL_S)


BUSY = "import time\nend = time.monotonic() + 30\nwhile time.monotonic() < end: pass"
"""Busy, and not for ever: where the machine gives the tests no time beside it, they go on in the end."""


def test_what_a_process_works_is_measured() -> None:
    with running(BUSY) as pid:
        watch = Stopwatch(pid)
        while watch.cpu_s < 0.3:
            time.sleep(POLL_S)
            watch.tick()

    assert watch.elapsed_s == pytest.approx(watch.cpu_s, abs=0.2)


def test_a_process_that_was_stopped_ages() -> None:
    with running(BUSY) as pid:
        os.kill(pid, signal.SIGSTOP)
        watch = Within(pid, 0.5)

        with pytest.raises(WorkerDied, match="did not answer in time"):
            keep_checking(watch)


def test_a_process_that_is_not_let_work_does_not_age() -> None:
    core = min(os.sched_getaffinity(0))
    with running(on_core(core, 0)), running(on_core(core, 19)) as pid:
        watch = Stopwatch(pid)
        for _ in range(20):
            time.sleep(POLL_S)
            watch.tick()

    assert watch.elapsed_s < 1


def test_a_process_that_has_ended_is_no_error() -> None:
    with running("") as pid:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        watch = Stopwatch(pid)

        watch.tick()

    watch.tick()
    assert watch.cpu_s >= 0
