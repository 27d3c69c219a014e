"""Bytes that several processes see at one place in memory: only a descriptor travels.

What is shared cannot be written to, grown or cut any more, by nobody: so it can be mapped without fear of
whoever made it.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import weakref
from typing import Any

import numpy as np

from ..descriptors import anonymous_file, write_all

SHARED_BYTES = 256 * 1024
"""Less is copied sooner than a descriptor is made, sent and mapped: `python bench/sharing.py`."""

_SEALS = 0x1 | 0x2 | 0x4 | 0x8
"""F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW and F_SEAL_WRITE of Linux' fcntl.h."""

_ADD_SEALS, _GET_SEALS = 1033, 1034


class Segment(mmap.mmap):
    """A sealed file in memory, mapped for reading; arrays over it keep it. `descriptor` is its own."""

    descriptor: int
    address: int


def sealed(descriptor: int, size: int) -> Segment | None:
    """Seal a file in memory and map its first bytes; None where the system or a writer does not let it."""
    try:
        fcntl.fcntl(descriptor, _ADD_SEALS, _SEALS)
    except OSError:
        # It is no file in memory, or somebody has it mapped for writing.
        return None
    return mapped(descriptor, size)


def mapped(descriptor: int, size: int) -> Segment | None:
    """Map the first bytes of a file that is sealed; None where it is not, or is shorter."""
    try:
        if fcntl.fcntl(descriptor, _GET_SEALS) & _SEALS != _SEALS or os.fstat(descriptor).st_size < size:
            return None
        segment = Segment(descriptor, size, access=mmap.ACCESS_READ)
        segment.descriptor = os.dup(descriptor)
    except (OSError, ValueError):
        return None
    weakref.finalize(segment, os.close, segment.descriptor)
    segment.address = _address(segment)
    return segment


def shared(data: memoryview) -> Segment | None:
    """Copy bytes to where other processes can see them; None where that cannot be done."""
    try:
        with anonymous_file(sealable=True) as file:
            write_all(file.fileno(), data)
            return sealed(file.fileno(), data.nbytes)
    except OSError:
        return None


def place_of(data: memoryview) -> tuple[Segment, int] | None:
    """Return the segment that bytes lie in, and where they begin there; None where they lie in none."""
    owner: Any = data.obj
    while isinstance(owner, np.ndarray | memoryview):
        owner = owner.base if isinstance(owner, np.ndarray) else owner.obj
    return (owner, _address(data) - owner.address) if isinstance(owner, Segment) else None


def _address(data: Any) -> int:
    return int(np.frombuffer(data, np.uint8).ctypes.data)
