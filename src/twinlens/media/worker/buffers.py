"""The file that a worker leaves its results in: opened by the server, filled by the worker."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from ...descriptors import anonymous_file
from ...processes.shared_memory import SHARED_BYTES

KEPT_BYTES = 16 << 20
"""The most memory that is reused from job to job: a few pages, or an image of five megapixels."""


class ResultBuffer:
    """The file that a worker leaves its results in.

    New memory costs more than copying into it, so a part is reused from job to job. The buffer stays with
    its worker: what it still holds comes from jobs that the same process has done.
    """

    def __init__(self) -> None:
        self._file = anonymous_file()

    @contextmanager
    def of(self, size: int, *, stays: bool = False) -> Iterator[IO[bytes]]:
        """Yield the file, of `size` bytes; a large one is new where the result `stays` in it."""
        if stays and size >= SHARED_BYTES:
            with anonymous_file(sealable=True) as file:
                os.ftruncate(file.fileno(), size)
                yield file
            return
        os.ftruncate(self._file.fileno(), size)
        try:
            yield self._file
        finally:
            if os.fstat(self._file.fileno()).st_size > KEPT_BYTES:
                os.ftruncate(self._file.fileno(), KEPT_BYTES)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
