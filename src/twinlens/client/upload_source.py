"""A file on this machine that is to be sent: what it was when it was first looked at."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from .errors import ClientError, SourceChanged

BLOCK_BYTES = 256 * 1024
"""Read at a time: the memory an upload takes."""


@dataclass(frozen=True, slots=True)
class UploadSource:
    """A file by its absolute path, with the size and the time that tell whether it is still the same."""

    path: Path
    size: int
    mtime_ns: int

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """Open the file for as long as the block lasts."""
        try:
            with self.path.open("rb") as file:
                yield file
        except OSError as cause:
            raise _unreadable(self.path, cause) from cause

    def check(self, file: IO[bytes]) -> None:
        """Raise where the opened file is no longer what it was."""
        if _identity(os.fstat(file.fileno())) != (self.size, self.mtime_ns):
            raise self._changed()

    def blocks(self, file: IO[bytes], start: int, end: int, moved: Callable[[int], None]) -> Iterator[bytes]:
        """Read the bytes from `start` to `end`, telling how far it got; raise where the file changed.

        A block is given only after another look at the file, so that the last one of a file that changed
        is never sent. What changes a file within a tick of the system's clock, or sets its time back,
        is not seen.
        """
        file.seek(start)
        while start < end:
            block = file.read(min(BLOCK_BYTES, end - start))
            self.check(file)
            if not block:
                raise self._changed()
            yield block
            start += len(block)
            moved(start)

    def _changed(self) -> SourceChanged:
        return SourceChanged(f"{self.path} changed while it was being sent. Upload it again.")


def open_source(path: Path) -> UploadSource:
    """Look at a file; only a regular one has a size that can be announced."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ClientError(f"{path} is not a regular file.")
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            end = os.pread(file.fileno(), 2, max(status.st_size - 1, 0))
    except OSError as cause:
        raise _unreadable(path, cause) from cause
    if len(end) != min(status.st_size, 1):
        # As the system's own files in /proc and /sys.
        raise ClientError(f"{path} does not end where its size says. Copy it, and upload the copy.")
    return UploadSource(path.absolute(), *_identity(status))


def _unreadable(path: Path, cause: OSError) -> ClientError:
    return ClientError(f"{path} cannot be read: {(cause.strerror or 'unknown error').lower()}.")


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_size, status.st_mtime_ns
