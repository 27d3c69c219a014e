"""Files by their descriptors: without a name, written whole, read to the last byte."""

from __future__ import annotations

import os
import tempfile
from typing import IO

from .domain.media import Data


def anonymous_file(*, sealable: bool = False) -> IO[bytes]:
    """Open a file without a name: in memory where the system can, else in the temporary folder.

    Whoever is given one that is sealable may make it one that cannot be written to or cut.
    """
    if hasattr(os, "memfd_create"):
        flags = os.MFD_CLOEXEC | (os.MFD_ALLOW_SEALING if sealable else 0)
        return open(os.memfd_create("media", flags), "r+b", buffering=0)
    return tempfile.TemporaryFile(buffering=0)


def write_all(descriptor: int, data: Data | bytearray, at: int = 0) -> int:
    """Write all of it from a place on, and return the place after it.

    One call may write less than it is given, also where nothing is wrong.
    """
    rest = memoryview(data).cast("B")
    while rest:
        count = os.pwrite(descriptor, rest, at)
        rest, at = rest[count:], at + count
    return at


def read_exactly(descriptor: int, target: memoryview, at: int = 0) -> int:
    """Fill a buffer with what stands from a place on, and return the place after it.

    Raises `EOFError` where the file ends before: whoever else has it may cut it at any time, and a read,
    unlike a mapping, is safe then.
    """
    rest = target.cast("B")
    while rest:
        count = os.preadv(descriptor, [rest], at)
        if not count:
            raise EOFError("the file ends before")
        rest, at = rest[count:], at + count
    return at
