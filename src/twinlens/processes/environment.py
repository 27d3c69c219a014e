"""What a child process starts with: the environment that it needs, and its memory limit."""

from __future__ import annotations

import os
import resource
import sys

_KEPT = frozenset({"PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR"})


def environment(*more: str) -> dict[str, str]:
    """Return the variables that lead to the code and its libraries, and those named; no secrets."""
    kept = {name: value for name, value in os.environ.items() if name in _KEPT or name in more}
    return kept | {"PYTHONPATH": os.pathsep.join(os.path.abspath(entry) for entry in sys.path)}


def limit_memory(extra_bytes: int) -> None:
    """Cap this process's address space at what is mapped now and so much more, where the system tells."""
    try:
        with open("/proc/self/statm") as file:
            mapped = int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (mapped + extra_bytes, mapped + extra_bytes))
