"""The file that a worker leaves its results in: lent by the server, filled by the worker."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from ...domain.media import Data

KEPT_BYTES = 16 << 20
"""So much room is kept from job to job: a few pages, or a picture of five million pixels."""


class ResultBuffer:
    """The file that a worker leaves its results in.

    Memory that is new costs more than what is copied into it, so a part is kept from job to job. The room
    stays with its worker: what lies there is of jobs that the same process has done.
    """

    def __init__(self) -> None:
        self._file = anonymous_file()

    @contextmanager
    def of(self, size: int) -> Iterator[IO[bytes]]:
        """Lend the room, of so many bytes."""
        os.ftruncate(self._file.fileno(), size)
        try:
            yield self._file
        finally:
            if os.fstat(self._file.fileno()).st_size > KEPT_BYTES:
                os.ftruncate(self._file.fileno(), KEPT_BYTES)

    def close(self) -> None:
        """Give up what it holds."""
        self._file.close()


def anonymous_file(*, sealable: bool = False) -> IO[bytes]:
    """Open a file without a name: in memory where the system can, else in the temporary folder.

    Whoever is given one that is sealable may make it one that cannot be written to or cut.
    """
    if hasattr(os, "memfd_create"):
        flags = os.MFD_CLOEXEC | (os.MFD_ALLOW_SEALING if sealable else 0)
        return open(os.memfd_create("media", flags), "r+b", buffering=0)
    return tempfile.TemporaryFile(buffering=0)


def put(room: int, data: Data, at: int = 0) -> int:
    """Write all of it from a place on, and give the place after it."""
    rest = memoryview(data)
    while rest:
        count = os.pwrite(room, rest, at)
        rest, at = rest[count:], at + count
    return at
