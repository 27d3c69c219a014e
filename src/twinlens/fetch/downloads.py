"""The URLs of one request: each is fetched once, within a limit for all together."""

from __future__ import annotations

import asyncio

from ..concurrency.single_flight import SingleFlight
from .body import Fetched
from .fetcher import Fetcher, cannot_fetch
from .youtube import YouTube, is_youtube

AT_ONCE = 4
"""At a time, so that each can be checked against what is left of the limit. Chosen, not measured."""


class Downloads:
    """Fetches for one request, at most `max_bytes` in all."""

    def __init__(self, fetcher: Fetcher, youtube: YouTube, max_bytes: int) -> None:
        self._fetcher = fetcher
        self._youtube = youtube
        self._max_bytes = self._left = max_bytes
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._flights: SingleFlight[Fetched] = SingleFlight()

    async def fetch(self, url: str, field: str, wanted: str | None) -> Fetched:
        """Fetch a URL, whose content must be of the same kind of media as the type `wanted`."""
        return await self._flights.do(f"{wanted} {url}", lambda: self._fetch(url, field, wanted))

    async def _fetch(self, url: str, field: str, wanted: str | None) -> Fetched:
        async with self._turns:
            # Concurrent downloads each started with the whole rest of the limit.
            if self._left > 0:
                found = await self._fetch_from(url, field, wanted)
                self._left -= len(found.data)
                if self._left >= 0:
                    return found
            raise cannot_fetch(f"All URLs together hold more than {self._max_bytes} bytes.", field)

    async def _fetch_from(self, url: str, field: str, wanted: str | None) -> Fetched:
        if is_youtube(url):
            return await self._youtube.fetch(url, field, max_bytes=self._left)
        return await self._fetcher.fetch(url, field, wanted, max_bytes=self._left)
