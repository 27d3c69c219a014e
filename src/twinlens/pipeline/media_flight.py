"""Decoder work that several requests wait for is done once; each is refused in its own words."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from ..concurrency.single_flight import SingleFlight
from ..domain.errors import BadMedia
from ..media.worker.compute_quota import ComputeQuota, ComputeQuotaExceeded

T = TypeVar("T")


class MediaFlight(SingleFlight[T]):
    """Shares what decoders do on media."""

    async def do_for_field(
        self, name: str, load: Callable[[], Coroutine[Any, Any, T]], field: str, work: ComputeQuota
    ) -> T:
        """Share what decoders do on the medium in a field; each is refused for its own field and work."""
        while True:
            try:
                return await self.do(name, load)
            except BadMedia as refusal:
                # It may have been another's request that was too much work.
                if isinstance(refusal, ComputeQuotaExceeded) and not work.is_spent:
                    continue
                # Each caller is told of its own field, whoever's bytes they were.
                raise BadMedia(refusal.message, field=field) from refusal
