"""What is checked of a file before its upload is confirmed: that it is not empty, and that an image can be
decoded.

Clients use an image as soon as it is uploaded; a broken one should be an error of the upload, and not of a
later request. Recordings and PDFs have `processing.py`.
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
"""An image is decoded at this fraction of its size: all of its data is read, and little else is done."""


class UploadChecks:
    """Decodes uploaded images as a check, `at_once` of them: the other workers are left to requests.

    Projects take turns, so that many images of one do not delay the few of another.
    """

    def __init__(self, pool: WorkerPool, *, at_once: int, max_image_pixels: int, alone: bool = False) -> None:
        self._pool = pool
        self._turns = FairSemaphore(at_once, alone)
        self._max_image_pixels = max_image_pixels

    async def flaw(self, project: str, path: Path, mime_type: str, size: int) -> str | None:
        """Return what is wrong with a file of `size` bytes; None where nothing is, or it is inspected later.

        Raises `InvalidArgument` for an empty file, unless it is text.
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
