"""Disk space that is reserved, so that on a full disk files can still be deleted.

A record is removed by writing that down, and a full disk has no room for that either. All of this blocks
on the disk, and belongs to one thread.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from ..descriptors import write_all

SIZE_BYTES = 1024 * 1024
"""What the database's log of some hundred deletions takes."""


class Reserve:
    """A file that is there for the space it takes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._taken = False

    def take(self) -> None:
        """Allocate the reserve. Raises where the disk refuses."""
        if not self._path.exists() or self._path.stat().st_size != SIZE_BYTES:
            self.give()
            try:
                with self._path.open("wb", buffering=0) as file:
                    # Zeros might take no room.
                    write_all(file.fileno(), os.urandom(SIZE_BYTES))
                    os.fsync(file.fileno())
            except BaseException:
                self.give()
                raise
        self._taken = True

    def give(self) -> bool:
        """Release the reserve; return whether there was any."""
        taken, self._taken = self._taken, False
        self._path.unlink(missing_ok=True)
        return taken

    def restore(self) -> None:
        """Allocate the reserve again, if it was released and there is space for more than it."""
        if not self._taken:
            with suppress(OSError):
                state = os.statvfs(self._path.parent)
                if state.f_bavail * state.f_frsize >= 2 * SIZE_BYTES:
                    self.take()
