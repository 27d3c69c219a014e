"""Decoder work that several requests wait for is done once; each gets an error for its own field."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from ..concurrency.single_flight import SingleFlight
from ..domain.errors import BadMedia
from ..media.worker.compute_quota import ComputeQuota, ComputeQuotaExceeded

T = TypeVar("T")


class MediaFlight(SingleFlight[T]):
    """Shares decoder jobs between requests."""

    async def do_for_field(
        self, name: str, load: Callable[[], Coroutine[Any, Any, T]], field: str, quota: ComputeQuota
    ) -> T:
        """Share `load` by `name`; errors name the caller's own field and quota."""
        while True:
            try:
                return await self.do(name, load)
            except BadMedia as refusal:
                # It may have been another's request that was too much work.
                if isinstance(refusal, ComputeQuotaExceeded) and not quota.is_spent:
                    continue
                # Each caller's error names its own field, whoever's bytes they were.
                raise BadMedia(refusal.message, field=field) from refusal
