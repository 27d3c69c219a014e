"""Decoder work that several requests wait for is done once; each is refused in its own words."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from ..concurrency.single_flight import Flights
from ..domain.errors import BadMedia
from ..media.worker.compute_quota import TooMuchWork, Work

T = TypeVar("T")


class MediaFlights(Flights[T]):
    """Shares what decoders do on media."""

    async def of_medium(
        self, name: str, load: Callable[[], Coroutine[Any, Any, T]], field: str, work: Work
    ) -> T:
        """Share what decoders do on the medium in a field; each is refused for its own field and work."""
        while True:
            try:
                return await self.shared(name, load)
            except BadMedia as refusal:
                # It may have been another's request that was too much work.
                if isinstance(refusal, TooMuchWork) and not work.is_spent:
                    continue
                # Each caller is told of its own field, whoever's bytes they were.
                raise BadMedia(refusal.message, field=field) from refusal
