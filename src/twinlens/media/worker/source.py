"""A file that several processes read at once, each at a position of its own."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from typing import BinaryIO


class DescriptorReader(io.RawIOBase, BinaryIO):
    """Reads an open descriptor at a position of its own; others that share the descriptor are not disturbed.

    `watch` is called for each read, with its position and the number of bytes.
    """

    def __init__(self, descriptor: int, watch: Callable[[int, int], None] | None = None) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._watch = watch
        self._position = 0

    def fileno(self) -> int:
        """Return the descriptor, which its owner closes."""
        return self._descriptor

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Read up to `size` bytes, all that is left where it is negative."""
        left = self.size - self._position
        data = os.pread(self._descriptor, max(left, 0) if size < 0 else size, self._position)
        self._went_on(len(data))
        return data

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        """Read into a buffer, as much as it holds."""
        count = os.preadv(self._descriptor, [buffer], self._position)
        self._went_on(count)
        return count

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Move to a position. Before the beginning is an OSError, after the end is none."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}[whence]
        if start + offset < 0:
            raise OSError("before the beginning of the file")
        self._position = start + offset
        return self._position

    def tell(self) -> int:
        """Return the position that is read next."""
        return self._position

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return os.fstat(self._descriptor).st_size

    def _went_on(self, count: int) -> None:
        if self._watch is not None:
            self._watch(self._position, count)
        self._position += count
