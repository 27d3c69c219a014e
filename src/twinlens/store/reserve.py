"""Room that is kept back on the disk, so that on a full one files can still be deleted.

A record is removed by writing that down, and a full disk has no room for that either. All of this blocks
on the disk, and belongs to one thread.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from ..descriptors import write_all

SIZE_BYTES = 1024 * 1024
"""What the log of some hundred deletions takes."""


class Reserve:
    """A file that is there for the room it takes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._taken = False

    def take(self) -> None:
        """Have the reserve; raise what the disk has against it."""
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
        """Make room out of the reserve; tell whether there was any."""
        taken, self._taken = self._taken, False
        self._path.unlink(missing_ok=True)
        return taken

    def restore(self) -> None:
        """Have the reserve again, if it was given and there is room for more than it."""
        if not self._taken:
            with suppress(OSError):
                state = os.statvfs(self._path.parent)
                if state.f_bavail * state.f_frsize >= 2 * SIZE_BYTES:
                    self.take()
