"""Limit the decoded pixels that all requests together hold in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ..domain.errors import InvalidArgument


class PixelLimiter:
    """A semaphore counted in pixels, first come, first served. Used from one event loop."""

    def __init__(self, pixels: int) -> None:
        self._whole = self._free = pixels
        self._turn = asyncio.Lock()
        self._freed = asyncio.Event()

    @asynccontextmanager
    async def take(self, pixels: int) -> AsyncIterator[None]:
        """Hold so many pixels, waiting until they are free. Raises `InvalidArgument` above the limit."""
        if pixels > self._whole:
            raise InvalidArgument(
                f"The images of this request have {pixels} pixels at this media_resolution; the limit is "
                f"{self._whole}. Send fewer images at once, or lower media_resolution.",
                field="contents",
            )
        async with self._turn:
            while self._free < pixels:
                self._freed.clear()
                await self._freed.wait()
            self._free -= pixels
        try:
            yield
        finally:
            self._free += pixels
            self._freed.set()
