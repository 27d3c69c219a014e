"""What the system says of a process."""

from __future__ import annotations

STOPPED = (b"T", b"t")
"""A signal, or a debugger, keeps the process from going on."""


def state_of(pid: int) -> bytes:
    """Return the letter of a process's state: R for running or runnable, T for stopped."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0]
    except (OSError, IndexError):
        return b"?"
