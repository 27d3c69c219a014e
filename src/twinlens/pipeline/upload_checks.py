"""What is found out about a file before the end of its upload is answered: that it is not empty, and that
an image can be decoded.

Clients use an image as soon as it is uploaded; whoever sent one that is broken should hear of it then, and
not with a question. Recordings and PDFs have `processing.py`.
"""

from __future__ import annotations

import asyncio
import mmap
import os
from pathlib import Path

from .. import media
from ..concurrency.fairness import FairSemaphore
from ..concurrency.off_loop import ON_LOOP_BYTES
from ..domain.errors import BadMedia, InvalidArgument
from ..domain.media import Blob, Descriptor, ImageInfo
from ..domain.media_types import kind_of
from ..media.worker.compute_quota import ComputeQuota
from ..media.worker.pool import WorkerPool

_SHRUNK = 16
"""An image is tried at this part of its size: all of its data is gone through, and little else is done."""


class UploadChecks:
    """Tries the images that are uploaded, `at_once` so many: the other workers are left to questions.

    Projects take turns, so that many images do not hold up another's few.
    """

    def __init__(self, pool: WorkerPool, *, at_once: int, max_image_pixels: int, alone: bool = False) -> None:
        self._pool = pool
        self._turns = FairSemaphore(at_once, alone)
        self._max_image_pixels = max_image_pixels

    async def flaw(self, project: str, path: Path, mime_type: str, size: int) -> str | None:
        """Say what is wrong with a file of `size` bytes; None where nothing is, or where that comes later.

        Raises `InvalidArgument` for one that is no file of its type at all: an empty one, unless it is text.
        """
        kind = kind_of(mime_type)
        if kind not in ("image", "recording", "pdf"):
            return None
        if not size:
            raise InvalidArgument(f"The file is empty (0 bytes), so it is no {mime_type}.", field="file")
        if kind != "image":
            return None
        try:
            if size <= ON_LOOP_BYTES:
                blob, info = self._opened(path, mime_type)
            else:
                blob, info = await asyncio.to_thread(self._opened, path, mime_type)
            async with self._turns.turn(project):
                width, height = (max(side // _SHRUNK, 1) for side in (info.width, info.height))
                await self._pool.decode(blob, info, width, height, ComputeQuota(project))
        except BadMedia as refusal:
            return refusal.message
        return None

    def _opened(self, path: Path, mime_type: str) -> tuple[Blob, ImageInfo]:
        """Map a file and read its header."""
        file = Descriptor(os.open(path, os.O_RDONLY))
        data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        blob = Blob(data, mime_type, "file", file=file)
        return blob, media.probe(blob, self._max_image_pixels)
