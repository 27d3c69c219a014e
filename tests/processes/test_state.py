"""What the system says of a process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from twinlens.processes.state import STOPPED, state_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")


def test_a_process_that_works_is_not_stopped() -> None:
    assert state_of(os.getpid()) not in (*STOPPED, b"?")


def test_a_process_that_a_signal_has_stopped_says_so() -> None:
    child = subprocess.Popen([sys.executable, "-c", "print(flush=True); input()"], stdin=-1, stdout=-1)
    try:
        assert child.stdout is not None
        child.stdout.readline()
        child.send_signal(signal.SIGSTOP)
        while state_of(child.pid) not in STOPPED:
            time.sleep(0.01)
    finally:
        child.kill()
        child.communicate()


def test_of_a_process_that_is_gone_nothing_is_known() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()

    assert state_of(child.pid) == b"?"
