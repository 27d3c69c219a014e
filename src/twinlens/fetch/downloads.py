"""The URLs of one request: each address is fetched once, and all together hold no more than is allowed."""

from __future__ import annotations

import asyncio

from ..concurrency.single_flight import SingleFlight
from .body import Fetched
from .fetcher import Fetcher, cannot_fetch
from .youtube import YouTube, is_youtube

AT_ONCE = 4
"""So many at a time, so that what comes can be held against what is left."""


class Downloads:
    """Fetches for one request, at most `max_bytes` in all."""

    def __init__(self, fetcher: Fetcher, youtube: YouTube, max_bytes: int) -> None:
        self._fetcher = fetcher
        self._youtube = youtube
        self._max_bytes = self._left = max_bytes
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._flights: SingleFlight[Fetched] = SingleFlight()

    async def fetch(self, url: str, field: str, wanted: str | None) -> Fetched:
        """Get what is behind a URL, of the kind that the type `wanted` is of."""
        return await self._flights.do(f"{wanted} {url}", lambda: self._fetch(url, field, wanted))

    async def _fetch(self, url: str, field: str, wanted: str | None) -> Fetched:
        async with self._turns:
            # Those that run side by side have all been promised what was left when they began.
            if self._left > 0:
                found = await self._one(url, field, wanted)
                self._left -= len(found.data)
                if self._left >= 0:
                    return found
            raise cannot_fetch(f"All URLs together hold more than {self._max_bytes} bytes.", field)

    async def _one(self, url: str, field: str, wanted: str | None) -> Fetched:
        if is_youtube(url):
            return await self._youtube.fetch(url, field, max_bytes=self._left)
        return await self._fetcher.fetch(url, field, wanted, max_bytes=self._left)
